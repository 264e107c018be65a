package workload

import (
	"context"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Object reads one object of a cluster, of whatever kind. It is nil for one that
// is not there, or whose kind the cluster does not know. A cluster that does not
// answer is asked as rarely as by Nodes, and costs what Nodes knows of it.
func (c *Clusters) Object(ctx context.Context, cluster types.NamespacedName, kind schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	a, err := c.attempt(cluster)
	if err != nil {
		return nil, err
	}
	var out *unstructured.Unstructured
	func() {
		defer c.settle(ctx, cluster, a)
		out, a.err = c.object(ctx, cluster, kind, key)
	}()
	return out, a.err
}

// attempt begins one that is shared with nobody, unless the cluster is silent.
func (c *Clusters) attempt(cluster types.NamespacedName) (*attempt, error) {
	now := c.clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &attempt{begun: now, done: make(chan struct{}), err: errBrokenOff}
	if k := c.known[cluster]; k != nil && k.silence != nil {
		if k.probing || now.Before(k.silence.Again) {
			return nil, k.silence
		}
		k.probing, a.probe = true, true
	}
	return a, nil
}

func (c *Clusters) object(ctx context.Context, cluster types.NamespacedName, kind schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	conn, err := c.connected(ctx, cluster)
	if err != nil {
		return nil, err
	}
	objects, err := conn.objects()
	if err != nil {
		return nil, fmt.Errorf("connect to cluster %s: %w", cluster, err)
	}
	out := &unstructured.Unstructured{}
	out.SetGroupVersionKind(kind)
	err = objects.Get(ctx, key, out)
	switch {
	case apierrors.IsNotFound(err) || meta.IsNoMatchError(err):
		return nil, nil //nolint:nilnil // nil is what is not there
	case err != nil:
		return nil, fmt.Errorf("read %s %s of cluster %s: %w", kind.Kind, key, cluster, err)
	}
	return out, nil
}

// objectClient learns of a kind when it is first asked for one. That takes no
// context, so the patience is the client's.
func objectClient(config *rest.Config, transport http.RoundTripper, patience time.Duration) (client.Client, error) {
	return client.New(config, client.Options{HTTPClient: &http.Client{Transport: transport, Timeout: patience, CheckRedirect: refuseRedirect}})
}
