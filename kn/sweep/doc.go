// Package sweep attributes a data set: all prompts of all facts, by integrated
// gradients and by the activation baseline in one pass.
//
// [Run] appends each prompt's record to a file of JSON lines as soon as it is
// computed, and can be killed at any moment. When it is run again, it drops a
// torn line, computes the unfinished prompts once more, and nothing else twice.
// Several processes or machines can each run a shard. [Merge] checks that every
// prompt is there exactly once and writes records.jsonl, in the data set's order:
// the same bytes whatever the number of shards, cores and interruptions. [Read]
// streams it.
//
// A folder holds one sweep: shard-2-of-4.jsonl and so on, each with the
// [Header] on its first line, which says what determines the numbers. Only
// scores of at least the share [Header.Keep] of a prompt's largest one are
// stored, as in the code of Dai et al. (2022).
package sweep
