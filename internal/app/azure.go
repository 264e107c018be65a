package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
	"github.com/fleetwright/fleetwright/internal/nodepool"
)

// Azure is the operator's own way to Azure, nil when the environment names no
// identity: it works without, and knows less.
func Azure(o arm.Options, log logr.Logger) (nodepool.Azure, error) {
	azure, err := arm.New(o)
	switch {
	case errors.Is(err, arm.ErrNoCredentials):
		log.Info("Azure is not asked for quotas, machine types and addresses, and pools are not replaced in stages", "reason", err.Error())
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("connect to Azure: %w", err)
	}
	return azure, nil
}

// azureClients are the ways to Azure by the identities of clusters. Without one of
// its own, the operator knows less of those that name none.
func azureClients(o arm.Options, live client.Reader, log logr.Logger) (*arm.Clients, error) {
	clients, err := arm.NewClients(o, live)
	if err != nil {
		return nil, fmt.Errorf("connect to Azure: %w", err)
	}
	if _, err := clients.Own(); err != nil {
		log.Info("Azure is not asked for quotas, machine types and addresses, and pools are not replaced in stages, where a cluster names no identity",
			"reason", err.Error())
	}
	return clients, nil
}

// azuresFor is what a feature asks of Azure, by the identity of each cluster.
type azuresFor[Azure any] struct {
	clients *arm.Clients
	as      func(*arm.Client) Azure
}

// For is the way for a cluster, the operator's own for one that is not found, and
// the zero value, nil, when there is no identity at all.
func (a azuresFor[Azure]) For(ctx context.Context, cluster capi.Cluster) (Azure, error) {
	var none Azure
	c, err := a.clients.For(ctx, cluster)
	switch {
	case errors.Is(err, arm.ErrNoCredentials):
		return none, nil
	case err != nil:
		return none, err
	}
	return a.as(c), nil
}

// sweeper looks at the whole fleet by the operator's own identity, not by those of
// clusters: a question by each of them would cost more than it finds. Where the own
// one may not read, things are looked at rarely; nil when there is none.
func sweeper(clients *arm.Clients, every time.Duration, log logr.Logger) *sweep.Sweeper {
	own, err := clients.Own()
	if err != nil {
		log.Info("Drift is looked for object by object, and rarely, without an identity of the operator's own", "reason", err.Error())
		return nil
	}
	return sweep.New(sweep.Options{Log: log.WithName("sweep"), Azure: own, Every: every})
}
