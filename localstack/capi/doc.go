// Package capi runs the real Cluster API core provider in this process: its definitions, its admission and conversion
// webhooks and its reconcilers, unchanged, from the Go module. What its own main does with flags is done here with
// Options; the differences are listed at each step.
//
// Several may run side by side in one process or on one machine, each against its own management API server: nothing
// listens but a webhook server on a free loopback port, and there is no leader election.
package capi
