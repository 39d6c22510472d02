// Package kernel makes a GoNB kernel ours: its kernelspec, the environment it
// runs in, and the pinning of every module a cell imports to this module's
// go.mod.
//
// # What GoNB does, and what is done about it
//
// GoNB turns a cell into a program of its own, in a temporary module below a
// go.work file, and builds and runs it.
//
//   - With -go_work=<this module's folder> a cell can import our packages.
//   - GoNB calls goimports, then "go get", for every cell. "go get" does not
//     look at go.work: a cell that imports gomlx itself would make it ask the
//     network for the latest version. So a program called go stands before
//     the real one on the kernel's PATH: see cmd/gonb-kn. When go.work already
//     provides every import it does nothing, otherwise it gets only
//     the packages that are missing.
//   - gonb -install does not overwrite a kernelspec reliably; ours is written
//     by [Spec.Write].
//   - Substitution of variables in a kernelspec's env is not done by every
//     Jupyter client, VS Code's among them. So the kernelspec starts
//     "gonb-kn launch", which sets the environment and then becomes gonb.
//   - GOEXPERIMENT=simd makes GoMLX's Go backend five to ten times as fast on
//     amd64, and must not be set elsewhere.
package kernel
