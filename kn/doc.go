// Package kn finds the neurons of a BERT that hold a fact, and shows what
// happens to the fact when they are silenced or amplified.
package kn
