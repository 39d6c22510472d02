// Package landscapeplots draws the results of package landscape:
//
//   - [LossCurves], [LossSurface]: loss and error on lines and planes between models, with a training's trajectory,
//   - [GroupResets]: what becomes of a fine-tuned model whose layers are as before,
//   - [TurnableSurface]: a surface in three dimensions that can be turned, as a piece of HTML.
//
// Package plots shows and saves them, and says what all charts have in common.
package landscapeplots
