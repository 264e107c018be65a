// Package stack puts the whole system into one process: real Kubernetes API servers, Cluster API's controllers, a
// simulated Azure whose AKS clusters are real API servers too, a provider that makes clusters there, and the operator as a
// child process with exactly the rights it ships with.
//
// A stack lives in one directory, which holds everything that outlives the process. A stack that was killed comes back
// with all its clusters on the same addresses. Two stacks with different directories do not know of each other.
package stack
