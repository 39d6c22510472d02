// Package cli is what this module's programs have in common: how they report
// errors and exit, their flags, colours and progress bars.
package cli
