//go:build !unix

package cli

// limitsAreErrors does nothing where there is no file-size limit.
func limitsAreErrors() {}
