// Package experiments has the experiments of Dai, Dong, Hao, Sui, Chang and
// Wei, Knowledge Neurons in Pretrained Transformers (ACL 2022,
// https://aclanthology.org/2022.acl-long.581), each a function from a model
// and the facts of a sweep to a result that marshals to JSON:
//
//   - [Neurons]: which neurons hold the facts, how many, where, and what facts
//     share (the paper's table 2 and figure 3),
//   - [Intervene]: suppressing and amplifying them (figures 4 and 5),
//   - [Update]: giving facts new answers by their neurons' weights,
//   - [Erase]: erasing a relation's commonest neurons,
//   - [DiffRecipes]: the published codes against one another,
//   - [Express]: how strongly the neurons act in texts that say the fact, and in others (tables 3 and 4),
//   - [Convergence]: how exact the integrals are,
//   - [Exactness]: whether the adaptive rule is as exact as it promises.
//
// Beside each method stand its controls: the activation baseline's neurons,
// random ones, and those nearest in activation. Intervals are 95 % bootstrap
// intervals over facts, paired where two sets are compared.
package experiments
