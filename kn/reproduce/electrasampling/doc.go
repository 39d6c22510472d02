// Package electrasampling reproduces Hao, Dong, Bao, Xu and Wei, Learning to
// Sample Replacements for ELECTRA Pre-Training (Findings of ACL 2021,
// https://aclanthology.org/2021.findings-acl.394), at a small size: six
// variants are pre-trained on facts, each with several seeds, and then
// fine-tuned on the built-in tasks, after equal steps and after equal time.
//
//	outcome, err := electrasampling.Reproduce(ctx, mini.Name, "report", electrasampling.Options{}, reproduce.Watch{})
//
// The heads' objectives are a reconstruction, see package electra.
package electrasampling
