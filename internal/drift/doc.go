// Package drift says what is not as declared in Azure any more, and what is to be done about it.
//
// It is pure: values and times in, an answer out. How drift is found cheaply is package sweep; what is read, written and reported is
// each kind's own. Only what a spec sets is compared: what it leaves open belongs to somebody else.
package drift
