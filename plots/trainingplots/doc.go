// Package trainingplots draws trainings, the results of packages finetune and
// dynamics:
//
//   - [TrainingHistory]: loss and accuracy over steps; [LiveTraining] draws them while it lasts,
//   - [DynamicsHeatMap], [DynamicsCurves]: how far each layer moves from the start,
//   - [ModelPairs]: how far models of several seeds or data sets are from each other,
//   - [FollowedKnowledge]: what becomes of facts and their knowledge neurons.
//
// Package plots shows and saves them, and says what all charts have in common.
package trainingplots
