// Package demo is the main job as a story one can watch: one resource becomes a cluster on a local stack, its workload comes up, two
// edits of that resource replace node pools, and what the API servers wrote down meanwhile proves that no budget was broken.
//
// The story (Run) tells events. A Model is made of them by a pure function and shown in two ways, as a screen that changes
// in place or as lines. The proof comes from the API servers' own records, not from what the operator says about itself.
package demo
