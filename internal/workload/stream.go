package workload

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const (
	// streamQueries and streamBurst are the rate of a Stream. Who uses one paces
	// what it writes by itself; lists and watches must not wait behind that.
	streamQueries, streamBurst = 100, 200
	// protobufFirst asks for the encoding that costs an API server and us the
	// least; one that has only JSON answers in that.
	protobufFirst = "application/vnd.kubernetes.protobuf,application/json"
)

// Stream is a connection of its own for work that lasts, such as watches: no
// answer is cut off for being long, and a connection that falls silent is given
// up after three quarters of a minute. Whoever asked for it closes it.
type Stream struct {
	API kubernetes.Interface

	conn *connection
}

// Stream returns current while it is still what the cluster's kubeconfig, which
// is read at most once a minute, leads to; and else a new one. Current may be
// nil, and is not closed. Like Get, it does not call the cluster.
func (c *Clusters) Stream(ctx context.Context, cluster types.NamespacedName, current *Stream) (*Stream, error) {
	now := c.clock.Now()
	if current != nil && current.checkedWithin(c, now) {
		return current, nil
	}
	kubeconfig, err := c.kubeconfig(ctx, cluster)
	if err != nil {
		return nil, err
	}
	if current != nil && bytes.Equal(current.conn.kubeconfig, kubeconfig) {
		c.mu.Lock()
		defer c.mu.Unlock()
		current.conn.checked = now
		return current, nil
	}
	conn, err := c.connect(cluster, kubeconfig, lasting)
	if err != nil {
		return nil, fmt.Errorf("connect to cluster %s: %w", cluster, err)
	}
	conn.checked = now
	return &Stream{API: conn.clientset, conn: conn}, nil
}

func (s *Stream) checkedWithin(c *Clusters, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Sub(s.conn.checked) < checkKubeconfig
}

// Close closes the connection once no request uses it.
func (s *Stream) Close() { s.conn.wire.CloseIdleConnections() }

// isWatch tells a request whose answer lasts for as long as somebody reads it.
func isWatch(request *http.Request) bool {
	if request.Method != http.MethodGet {
		return false
	}
	asked := request.URL.Query().Get("watch")
	return asked == "true" || asked == "1"
}
