package arm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/identity"
	"github.com/fleetwright/fleetwright/internal/capi"
)

const (
	// maxClients bounds how many identities are kept signed in, idle how long one is that nobody asks for. Another sign-in costs one
	// request, and one more for each list that was kept.
	maxClients = 4096
	idle       = time.Hour
)

// Whose says whose identity is taken for a cluster.
type Whose string

const (
	// OfCluster is the identity that the cluster's objects name, and the operator's own where they name none.
	OfCluster Whose = "Cluster"
	// OfOperator is the operator's own for every cluster.
	OfOperator Whose = "Operator"
)

// Clients are the ways to Azure, one for each identity in each cloud. It is safe for concurrent use.
type Clients struct {
	options Options
	live    client.Reader
	clock   clock.PassiveClock
	own     *Client
	ownErr  error

	mu   sync.Mutex
	kept map[signature]*keptClient
}

// signature tells clients apart: by who they are and by what they prove it, not by which object says so. Clusters that copy one
// Secret share a client, and a Secret whose content changed has another.
type signature struct {
	method                   identity.Method
	tenant, principal, cloud string
	proof                    [sha256.Size]byte
}

type keptClient struct {
	client *Client
	used   time.Time
}

// NewClients makes Clients. live reads past the cache. No identity in the environment is no error: those of clusters do.
func NewClients(o Options, live client.Reader) (*Clients, error) {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Broker == nil {
		o.Broker = broker.New(nil)
	}
	switch {
	case strings.EqualFold(string(o.Whose), string(OfOperator)):
		o.Whose = OfOperator
	case o.Whose == "", strings.EqualFold(string(o.Whose), string(OfCluster)):
		o.Whose = OfCluster
	default:
		return nil, fmt.Errorf("identity %q for Azure is neither %s nor %s", o.Whose, OfCluster, OfOperator)
	}
	if o.CAFile != "" {
		var err error
		if o.transport, err = transport(o.CAFile); err != nil {
			return nil, err
		}
	}
	c := &Clients{options: o, live: live, clock: o.Clock, kept: map[signature]*keptClient{}}
	if c.own, c.ownErr = New(o); c.ownErr != nil && !errors.Is(c.ownErr, ErrNoCredentials) {
		return nil, c.ownErr
	}
	return c, nil
}

// Own is the operator's own identity; ErrNoCredentials when its environment has none.
func (c *Clients) Own() (*Client, error) { return c.own, c.ownErr }

// For is the way to Azure by the identity of a cluster; one that is not found names none. Errors are ErrNoCredentials when neither
// the cluster nor the environment names one, a *identity.Refusal when what the cluster names cannot be used, or of the reading, which may pass.
//
// Nothing is asked of Azure, and an identity that is refused there is not replaced by another.
func (c *Clients) For(ctx context.Context, cluster capi.Cluster) (*Client, error) {
	if c.options.Whose == OfOperator || !cluster.Found {
		return c.Own()
	}
	i, err := cluster.Identity(ctx, c.live)
	if err != nil {
		return nil, err
	}
	o, err := c.options.optionsFor(i)
	if err != nil {
		return nil, err
	}
	if i.Method == identity.Operator {
		return c.Own()
	}
	p, err := prove(i)
	if err != nil {
		return nil, err
	}
	return c.clientOf(p, o)
}

func (c *Clients) clientOf(p proof, o Options) (*Client, error) {
	key := signature{p.Method, strings.ToLower(p.TenantID), p.Principal(), strings.ToLower(o.Cloud), p.digest()}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	if k := c.kept[key]; k != nil {
		k.used = now
		return k.client, nil
	}
	made, err := c.sign(p, o)
	if err != nil {
		return nil, err
	}
	c.forget(now)
	c.kept[key] = &keptClient{made, now}
	return made, nil
}

// forget makes room for one client more.
func (c *Clients) forget(now time.Time) {
	maps.DeleteFunc(c.kept, func(_ signature, k *keptClient) bool { return now.Sub(k.used) >= idle })
	if len(c.kept) < maxClients {
		return
	}
	oldest := slices.MinFunc(slices.Collect(maps.Keys(c.kept)), func(a, b signature) int {
		return cmp.Compare(c.kept[a].used.UnixNano(), c.kept[b].used.UnixNano())
	})
	delete(c.kept, oldest)
}

func (c *Clients) sign(p proof, o Options) (*Client, error) {
	options, named, err := sdkOptions(o)
	if err != nil {
		return nil, err
	}
	credential, err := p.credential(options, named)
	if err != nil {
		return nil, err
	}
	return newClient(o, options, credential, who{principal: p.Principal(), name: "client " + p.ClientID, secrets: p.secrets()})
}
