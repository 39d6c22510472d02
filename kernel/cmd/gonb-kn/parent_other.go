//go:build !linux

package main

// endWithParent does nothing where the system has no such signal.
func endWithParent() {}
