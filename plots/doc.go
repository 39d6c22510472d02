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
//   - [Predictions]: the most probable tokens before and after an edit,
//   - [Slider]: the first as a piece of HTML that answers to a slider,
//
// and of the results of package experiments
//
//   - [LayerDistribution], [SharedNeurons]: where the facts' neurons are, and how many facts share,
//   - [Interventions], [SuppressedByRelation], [AmplifiedByRelation]: what becomes of the answers,
//   - [ActivationExpression], [ExpressionByRelation]: how strongly neurons act in open texts,
//   - [UpdateRates], [ErasedPerplexity]: what editing the neurons' weights does,
//   - [UpdateLambdas], [UpdateCounts], [ErasedPerplexityCurve], [ErasedAccuracyCurve]: the same with other strengths and numbers of neurons,
//   - [RecipeOverlap], [RecipeSteps]: how far the published recipes agree, and what tells them apart,
//   - [ConvergenceError], [ConvergenceAgreement]: how exact the integrals are,
//
// of those of package landscape
//
//   - [LossCurves], [LossSurface]: loss and error on lines and planes between models, with a training's trajectory,
//   - [GroupResets]: what becomes of a fine-tuned model whose layers are as before,
//   - [TurnableSurface]: a surface in three dimensions that can be turned, as a piece of HTML,
//
// and of trainings, by packages finetune and dynamics
//
//   - [TrainingHistory]: loss and accuracy over steps; [LiveTraining] draws them while it lasts,
//   - [DynamicsHeatMap], [DynamicsCurves]: how far each layer moves from the start,
//   - [ModelPairs]: how far models of several seeds or data sets are from each other,
//   - [FollowedKnowledge]: what becomes of facts and their knowledge neurons.
//
// and of package electra
//
//   - [ElectraSteps], [ElectraTime]: what is measured of pre-trainings,
//   - [ElectraProposals]: why p_G × loss is the best proposal.
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
// result and options give the same bytes.
//
// Text is set in Liberation Sans, which has Latin, Greek and Cyrillic. In an
// SVG the reader's fonts fill in for what it lacks (Chinese, say); a PNG or a
// PDF shows a box for such a character. A PDF's text is drawn as outlines.
//
// What cannot be drawn (nothing, NaN, lists that do not fit together) is an
// error that names what is wrong; only the Must functions panic.
package plots
