package kn

// Erase sets the value vectors of neurons, the columns of the layer's output
// matrix, to 0, as the authors of Dai et al. (2022, section 5.2) do to a
// relation's commonest neurons. The neurons then add nothing at any position:
// predictions are those of [Suppress] at all positions, but it is the weights
// that change, so that a checkpoint can hold it.
func Erase(neurons []Neuron) Edit { return Edit{Op: OpErase, Neurons: neurons} }
