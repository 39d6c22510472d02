//go:build !unix

package main

// limitsAreErrors does nothing where there is no file-size limit.
func limitsAreErrors() {}
