// Package report makes reports of experiments in which every number can be
// traced to the result file that it was read from.
//
// A [Report] has sections of paragraphs, tables, figures and claims. They are
// written in text files (see [Templates]), which name numbers by their places in
// the result files of a folder (see [Results]), so that what is printed is what
// was stored, rounded. [Report.Write] writes
//
//	report.md            for reading as text, and for repositories
//	report.html          one file, nothing loaded from elsewhere; a number's
//	                     tooltip names its result file and its place there
//	results/TABLE.csv    each table in full precision, and as TABLE.md
//	results/claims.json  the claims with their verdicts
//	figures/FIGURE.svg   each figure, and as FIGURE.png
//
// A [Claim] is a statement with the numbers that it rests on and a [Verdict]
// which a stated rule gives from confidence intervals, such as [Greater].
package report
