// Package plots draws the results of package kn with gonum/plot.
//
// Each chart is one call that takes a result and returns a [Figure]:
//
//	fig := plots.MustFactorCurves(curves)
//	plots.MustShow(fig)          // inline, in a GoNB cell
//	err := fig.Save("fact.pdf")  // or .svg, .png
//
// The charts are
//
//   - [FactorCurves]: answer probability against the factor by which neurons are multiplied,
//   - [ActivationScatter]: activation against probability, a point a prompt,
//   - [NeuronsPerLayer]: in which layers the knowledge neurons are,
//   - [AttributionHeatMap]: scores over layers and neurons,
//   - [Overlap]: what the coarse sets of a fact's prompts have in common,
//   - [Sensitivity]: how a fact's set of neurons depends on threshold and share of prompts,
//   - [SetComparison]: one fact's neurons in two models,
//   - [Predictions]: the most probable tokens before and after an edit,
//   - [TokenAttribution]: what each of a prompt's tokens does for the answer,
//   - [LogitParts], [LogitHeads]: what layers and heads add to its logit,
//   - [LogitLens], [CausalTrace]: where in the model the answer appears, and through which states it goes,
//   - [AttentionHeads], [AttentionArcs]: the attention weights of a text,
//   - [Slider]: the first as a piece of HTML that answers to a slider.
//
// Charts of other results are in packages of their own, so that a cell links
// only what it draws: those of package experiments in experimentplots, of
// finetune and dynamics in trainingplots, of landscape in landscapeplots, and of
// electra in electraplots. All that follows holds for them too.
//
// The zero [Options] suit a notebook; [PaperColumn] suits one column of a
// paper; a chart with a row for each relation is as high as its rows need.
// Colours are those of Okabe and Ito (2008), shades of blue, and a blue to
// orange scale, which colour-blind readers can tell apart; line styles and
// markers differ as well, for print in grey.
//
// A figure carries where it comes from: the [kn.Provenance] of the results
// drawn, in the metadata of an SVG (read it back with [ReadProvenance]), in
// text chunks of a PNG and in the document information of a PDF. The same
// result and options give the same bytes. The SVG of a chart of one fact also
// holds the numbers and what they answer, so that package verify, and "kn verify"
// at the command line, compute them again.
//
// Text is set in Liberation Sans, which has Latin, Greek and Cyrillic. In an
// SVG the reader's fonts fill in for what it lacks (Chinese, say); a PNG or a
// PDF shows a box for such a character. A PDF's text is drawn as outlines.
//
// What cannot be drawn (nothing, NaN, lists that do not fit together) is an
// error that names what is wrong; only the Must functions panic.
package plots
