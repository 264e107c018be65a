package capi

import (
	"time"

	"github.com/go-logr/logr"
)

// Options are the settings of Cluster API's core provider in a local stack. The zero value is ready to use.
type Options struct {
	// Log receives the provider's log. Zero: nothing is logged.
	Log logr.Logger
	// ConnectRetry is the time between two attempts to connect to a workload cluster. Cluster API waits 30 s, and its
	// first attempt always fails with CAPZ, which reports the infrastructure ready before there is a kubeconfig.
	// Default 1 s.
	ConnectRetry time.Duration
	// SyncPeriod is the time after which everything is reconciled although nothing changed. Default 10 min, as
	// Cluster API's --sync-period.
	SyncPeriod time.Duration
	// Concurrency is how many objects of each kind are reconciled at once. Default 10: Cluster API's own defaults
	// (50 to 100) are meant for a machine that has nothing else to do.
	Concurrency int
}

func (o Options) withDefaults() Options {
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	if o.ConnectRetry <= 0 {
		o.ConnectRetry = time.Second
	}
	if o.SyncPeriod <= 0 {
		o.SyncPeriod = 10 * time.Minute
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 10
	}
	return o
}
