// Package experimentplots draws the results of package experiments, the charts
// of the paper on knowledge neurons:
//
//   - [LayerDistribution], [SharedNeurons]: where the facts' neurons are, and how many facts share,
//   - [Interventions], [SuppressedByRelation], [AmplifiedByRelation]: what becomes of the answers,
//   - [ActivationExpression], [ExpressionByRelation]: how strongly neurons act in open texts,
//   - [UpdateRates], [ErasedPerplexity]: what editing the neurons' weights does,
//   - [UpdateLambdas], [UpdateCounts], [ErasedPerplexityCurve], [ErasedAccuracyCurve]: the same with other strengths and numbers of neurons,
//   - [RecipeOverlap], [RecipeSteps]: how far the published recipes agree, and what tells them apart,
//   - [ConvergenceError], [ConvergenceAgreement], [Exactness]: how exact the integrals are.
//
// Package plots shows and saves them, and says what all charts have in common.
package experimentplots
