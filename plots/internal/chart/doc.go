// Package chart is what the charts of package plots and of those below it are
// made of: a figure with its title, legend, panels and files, and the marks on
// them. A chart starts a [Draft] with [New], adds panels and what is drawn on
// them, says in words what they show, and returns the [Draft.Figure].
package chart
