// Package kernel makes a GoNB kernel ours: its kernelspec, the environment it
// runs in, and the pinning of every module a cell imports to this module's
// go.mod. What happens between Jupyter and GoNB is in packages relay and gocell.
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
//     provides every import it does nothing; otherwise it gets what
//     "go list" suggests, at the version that go.mod decides on if it knows
//     the module at all. It also takes dot imports out that a cell does not
//     use, as goimports does with others.
//   - What no package of ours imports, go.mod and go.sum do not know, and
//     a cell would need the network for it. Package cells imports the rest.
//   - "go build" of a cell is nearly all linking: about 1.1 s of processor
//     time with kn and plots, 0.7 s without DWARF, so cells are linked with
//     -ldflags=-w. goimports takes 0.03 s, "go list" 0.2 s. An unchanged list
//     of imports is not listed again.
//   - GOFLAGS=-mod=mod does not work with a go.work, and fails every cell: the
//     kernel takes it out.
//   - gonb -install does not overwrite a kernelspec reliably; ours is written
//     by [Paths.WriteSpec].
//   - Substitution of variables in a kernelspec's env is not done by every
//     Jupyter client, VS Code's among them. So the kernelspec starts
//     "gonb-kn launch", which sets the environment and starts gonb.
//   - GoNB reads cells line by line, without knowing Go's strings, and ends at
//     some of them; it tells a failure three times, with a stack trace; it lets
//     cells run that wait behind one that failed. The relay, which gonb-kn
//     launch is, mends that.
//   - GoNB keeps the definitions of a cell that fails, which fail every later
//     cell, and waits twelve seconds before it talks to gopls. That can only be
//     mended in its source: see gonbsource.go.
//   - gopls outlives a GoNB that is killed: a program called gopls stands
//     before it too, and asks the system to end it with its parent.
//   - Interrupting works by message. GoNB sends the cell's program SIGINT, and
//     kills it if it still runs five seconds later; a build is not
//     interrupted.
//   - Imports are kept for later cells, but only one blank import: an embedded
//     model is imported by its name.
//   - Every cell's program starts anew, and runs the initializers of all
//     variables that earlier cells declared.
//   - GOEXPERIMENT=simd makes GoMLX's Go backend five to ten times as fast on
//     amd64, and must not be set elsewhere.
package kernel
