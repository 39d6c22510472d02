// Package sweep attributes a data set: all prompts of all facts, by integrated
// gradients and by the activation baseline in one pass.
//
// [Run] appends to a file of JSON lines, a prompt's record as soon as it is
// there, and can be killed at any moment: run again it drops a line that was
// torn, computes once more the prompts that it was at, and nothing else twice.
// Several processes or machines can each run a shard. [Merge] checks that every
// prompt is there exactly once and writes records.jsonl, in the data set's
// order: the same bytes whatever the number of shards, cores and interruptions.
// [Read] streams it.
//
// A folder holds one sweep: shard-2-of-4.jsonl and so on, each with the
// [Header] on its first line, which says what determines the numbers. Only
// scores of at least the share [Header.Keep] of a prompt's largest one are
// stored, as in the code of Dai et al. (2022).
package sweep
