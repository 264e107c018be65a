// Package workload connects to workload clusters: opened when there is work,
// closed when there has been none for a while. Hundreds of clusters at rest cost
// nothing.
package workload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// requestTimeout bounds one call, so that a dead cluster is a fact and not a
	// hang. The API server itself holds an eviction back for up to 10 s.
	requestTimeout = 30 * time.Second
	// dialTimeout bounds the beginning of a connection, and its TLS handshake.
	dialTimeout = 5 * time.Second
	// checkKubeconfig is how long a kubeconfig is used before it is read again:
	// CAPZ rotates it in place.
	checkKubeconfig = time.Minute
	// idleAfter is how long a connection nobody uses is kept.
	idleAfter = 5 * time.Minute
	// The client's own rate, above client-go's 5 a second, which throttles a
	// drain, and below what one tenant may ask of an API server.
	queriesPerSecond, burst = 50, 100
)

// ErrNoKubeconfig is wrapped when CAPI has not written the cluster's kubeconfig
// yet.
var ErrNoKubeconfig = errors.New("there is no kubeconfig yet")

// Clusters hands out connections. Its zero value is not usable: see New.
type Clusters struct {
	secrets   client.Reader
	userAgent string
	clock     clock.PassiveClock

	// patience is pagePatience, but in tests.
	patience time.Duration

	mu   sync.Mutex
	open map[types.NamespacedName]*connection
	// known is what was learnt of clusters lately. Losing it at a restart costs a
	// reading of each.
	known map[types.NamespacedName]*knowledge
}

var errRedirected = errors.New("redirects are refused")

type connection struct {
	clientset kubernetes.Interface
	// objects reads what has no type here, made at first use: see Object.
	objects    func() (client.Client, error)
	wire       *http.Transport
	kubeconfig []byte
	checked    time.Time
	used       time.Time
}

// New returns a pool of connections that reads kubeconfig Secrets through
// secrets, which should not be a cache: nobody needs a copy of every Secret.
func New(secrets client.Reader, userAgent string, clk clock.PassiveClock) *Clusters {
	return &Clusters{
		secrets: secrets, userAgent: userAgent, clock: clk, patience: pagePatience,
		open: map[types.NamespacedName]*connection{}, known: map[types.NamespacedName]*knowledge{},
	}
}

// Get returns a client for the cluster. It does not call the cluster: whether
// it answers shows with the first request.
func (c *Clusters) Get(ctx context.Context, cluster types.NamespacedName) (kubernetes.Interface, error) {
	conn, err := c.connected(ctx, cluster)
	if err != nil {
		return nil, err
	}
	return conn.clientset, nil
}

func (c *Clusters) connected(ctx context.Context, cluster types.NamespacedName) (*connection, error) {
	now := c.clock.Now()
	c.mu.Lock()
	conn := c.open[cluster]
	if conn != nil && now.Sub(conn.checked) < checkKubeconfig {
		conn.used = now
		c.mu.Unlock()
		return conn, nil
	}
	c.mu.Unlock()

	kubeconfig, err := c.kubeconfig(ctx, cluster)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn := c.open[cluster]; conn != nil && bytes.Equal(conn.kubeconfig, kubeconfig) {
		conn.checked, conn.used = now, now
		return conn, nil
	}
	fresh, err := c.connect(cluster, kubeconfig, brief)
	if err != nil {
		return nil, fmt.Errorf("connect to cluster %s: %w", cluster, err)
	}
	fresh.checked, fresh.used = now, now
	c.drop(cluster)
	c.open[cluster] = fresh
	return fresh, nil
}

// Forget closes the connection, for example after an answer of 401, and shares
// no reading made over it: the next Get reads the kubeconfig again.
func (c *Clusters) Forget(cluster types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(cluster)
	c.outdate(cluster)
}

func (c *Clusters) drop(cluster types.NamespacedName) {
	if conn := c.open[cluster]; conn != nil {
		conn.wire.CloseIdleConnections()
		delete(c.open, cluster)
	}
}

// Start closes idle connections until ctx ends. It implements the manager's
// Runnable.
func (c *Clusters) Start(ctx context.Context) error {
	ticker := time.NewTicker(idleAfter / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			c.CloseIdle()
		}
	}
}

// CloseIdle closes the connections that nobody used for five minutes and
// returns how many are left.
func (c *Clusters) CloseIdle() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, conn := range c.open {
		if c.clock.Now().Sub(conn.used) >= idleAfter {
			c.drop(key)
		}
	}
	c.sweep(c.clock.Now())
	return len(c.open)
}

// kubeconfig reads CAPI's Secret "<cluster>-kubeconfig", key "value".
func (c *Clusters) kubeconfig(ctx context.Context, cluster types.NamespacedName) ([]byte, error) {
	var secret corev1.Secret
	key := types.NamespacedName{Namespace: cluster.Namespace, Name: cluster.Name + "-kubeconfig"}
	if err := c.secrets.Get(ctx, key, &secret); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("read Secret %s: %w", key, ErrNoKubeconfig)
		}
		return nil, fmt.Errorf("read Secret %s: %w", key, err)
	}
	if len(secret.Data["value"]) == 0 {
		return nil, fmt.Errorf("read Secret %s: key value: %w", key, ErrNoKubeconfig)
	}
	return secret.Data["value"], nil
}

// use is what a connection is for.
type use int

const (
	// brief: every request has its answer within requestTimeout.
	brief use = iota
	// lasting: an answer begins within requestTimeout, and may go on.
	lasting
)

func (c *Clusters) connect(cluster types.NamespacedName, kubeconfig []byte, as use) (*connection, error) {
	config, err := restConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	config.UserAgent = c.userAgent
	config.QPS, config.Burst = queriesPerSecond, burst
	total := requestTimeout
	if as == lasting {
		total = 0
		config.QPS, config.Burst, config.AcceptContentTypes = streamQueries, streamBurst, protobufFirst
	}
	config.Timeout = total
	wire, err := wireTo(config)
	if err != nil {
		return nil, err
	}
	transport, err := rest.HTTPWrappersForConfig(config, bounded{next: wire, changed: func() { c.changed(cluster) }})
	if err != nil {
		return nil, err
	}
	clientset, err := kubernetes.NewForConfigAndClient(config, &http.Client{Transport: transport, Timeout: total, CheckRedirect: refuseRedirect})
	if err != nil {
		return nil, err
	}
	objects := sync.OnceValues(func() (client.Client, error) { return objectClient(config, transport, c.patience) })
	return &connection{clientset: clientset, objects: objects, wire: wire, kubeconfig: kubeconfig}, nil
}

// wireTo is a transport of the cluster's own. client-go would share one among
// all clients that look alike, where one cluster that is dropped closes the
// connections of another, and keep it for ever.
func wireTo(config *rest.Config) (*http.Transport, error) {
	tlsConfig, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, err
	}
	return utilnet.SetTransportDefaults(&http.Transport{
		Proxy:                 config.Proxy,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: requestTimeout,
		TLSClientConfig:       tlsConfig,
		MaxIdleConnsPerHost:   25, // as client-go has it
		DisableCompression:    config.DisableCompression,
	}), nil
}

// refuseRedirect: an API server does not redirect; one that does would have us
// ask somebody else, with its credentials and from our place in the network.
func refuseRedirect(request *http.Request, _ []*http.Request) error {
	return fmt.Errorf("redirected to host %q: %w", request.URL.Host, errRedirected)
}

// restConfig refuses a kubeconfig that would run a program or read a file of
// the operator's: it comes out of a Secret that others can write.
func restConfig(kubeconfig []byte) (*rest.Config, error) {
	parsed, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return nil, errors.New("its kubeconfig cannot be parsed")
	}
	for name, user := range parsed.AuthInfos {
		switch {
		case user.Exec != nil || user.AuthProvider != nil:
			return nil, fmt.Errorf("user %q of its kubeconfig would run a program, which is refused", name)
		case user.TokenFile != "" || user.ClientCertificate != "" || user.ClientKey != "":
			return nil, fmt.Errorf("user %q of its kubeconfig points to a file, which is refused", name)
		}
	}
	for name, server := range parsed.Clusters {
		if server.CertificateAuthority != "" {
			return nil, fmt.Errorf("cluster %q of its kubeconfig points to a file, which is refused", name)
		}
	}
	config, err := clientcmd.NewDefaultClientConfig(*parsed, nil).ClientConfig()
	if err != nil {
		return nil, errors.New("its kubeconfig names no usable cluster and user")
	}
	return config, nil
}
