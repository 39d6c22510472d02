// Package electraplots draws the results of package electra:
//
//   - [Steps], [Time]: what is measured of pre-trainings,
//   - [Estimates]: how far one draw's estimate of the loss scatters, by the distribution drawn from,
//   - [Proposals], [Bounds]: why p_G × loss is the best of these, and what a bound of the weights costs.
//
// Package plots shows and saves them, and says what all charts have in common.
package electraplots
