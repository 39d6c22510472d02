// Package knowledgeneurons reproduces Dai, Dong, Hao, Sui, Chang and Wei,
// Knowledge Neurons in Pretrained Transformers (ACL 2022,
// https://aclanthology.org/2022.acl-long.581): every table and figure, from a
// model and a data set of facts to a report.
//
//	outcome, err := knowledgeneurons.Reproduce(ctx, model, "report", knowledgeneurons.Options{}, reproduce.Watch{})
//
// It runs the experiments of package experiments on the records of a sweep,
// keeps the result of each in the folder (see package reproduce), and writes
// what they say beside what the paper reports (see package report). Each claim
// of the paper is said to hold here or not to, by a stated rule.
package knowledgeneurons
