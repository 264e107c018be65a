package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

const (
	// etcdQuota is far above what a stack of some tens of clusters writes; reaching it makes every cluster read-only.
	etcdQuota = 8 << 30
	// maxSocketPath is below the 104 to 108 bytes that operating systems allow for the path of a Unix socket.
	maxSocketPath = 96
)

// Etcd is the one etcd of a stack. Every server in the stack keeps its data in it under a prefix of its own.
type Etcd struct {
	server  *embed.Etcd
	lock    *fileutil.LockedFile
	url     string
	sockets string // temporary directory for sockets, empty if they are in the data directory

	// building lets servers be put together one at a time, because Kubernetes' packages share global registries meanwhile.
	building sync.Mutex
	once     sync.Once
}

// StartEtcd starts an etcd that keeps its data in dir, which is made if missing, and returns once it serves.
// The directory is locked until Close or the end of the process: a second stack on it gets an error that says so.
// ctx bounds the start only; use Close to stop.
//
// Clients reach it through a Unix socket that only this user can open, because an etcd without authentication on a TCP port would
// hand every Secret to every user of the machine.
func StartEtcd(ctx context.Context, dir string) (*Etcd, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find etcd directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make etcd directory: %w", err)
	}
	lock, err := fileutil.TryLockFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fileutil.ErrLocked) {
		return nil, fmt.Errorf("directory %s is in use by another running stack: stop that one or choose another directory", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("lock etcd directory %s: %w", dir, err)
	}
	e := &Etcd{lock: lock}
	if err := e.start(ctx, dir); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *Etcd) start(ctx context.Context, dir string) error {
	sockets := dir
	if len(dir) > maxSocketPath {
		tmp, err := os.MkdirTemp("", "fleetwright-etcd-")
		if err != nil {
			return fmt.Errorf("make directory for etcd's sockets: %w", err)
		}
		sockets, e.sockets = tmp, tmp
	}
	client := url.URL{Scheme: "unix", Path: filepath.Join(sockets, "c.sock")}
	peer := url.URL{Scheme: "unix", Path: filepath.Join(sockets, "p.sock")}

	cfg := embed.NewConfig()
	cfg.Dir = filepath.Join(dir, "data")
	cfg.ListenClientUrls, cfg.ListenPeerUrls = []url.URL{client}, []url.URL{peer}
	cfg.UnsafeNoFsync = true
	cfg.LogLevel = "warn"
	cfg.LogOutputs = []string{filepath.Join(dir, "etcd.log")}
	cfg.QuotaBackendBytes = etcdQuota
	cfg.AutoCompactionMode, cfg.AutoCompactionRetention = "revision", "10000"
	cfg.EnableGRPCGateway = false

	server, err := embed.StartEtcd(cfg)
	if err != nil {
		return fmt.Errorf("start etcd in %s: %w", dir, err)
	}
	e.server, e.url = server, client.String()
	select {
	case <-server.Server.ReadyNotify():
		return nil
	case err := <-server.Err():
		return fmt.Errorf("start etcd in %s: %w", dir, err)
	case <-ctx.Done():
		return fmt.Errorf("start etcd in %s: %w", dir, ctx.Err())
	}
}

// URL is the endpoint for clients in this process or of this user, in the form kube-apiserver's --etcd-servers takes.
func (e *Etcd) URL() string { return e.url }

// Forget removes all data of the server with this name. Call it only after that server has stopped.
// A name without data is no error.
func (e *Etcd) Forget(ctx context.Context, name string) error {
	prefix := etcdPrefix(name) + "/"
	_, err := e.server.Server.DeleteRange(ctx, &etcdserverpb.DeleteRangeRequest{
		Key: []byte(prefix), RangeEnd: []byte(clientv3.GetPrefixRangeEnd(prefix)),
	})
	if err != nil {
		return fmt.Errorf("remove data of cluster %s from etcd: %w", name, err)
	}
	return nil
}

// Close stops etcd, waits for it and gives the directory free. Calling it again does nothing.
func (e *Etcd) Close() {
	e.once.Do(func() {
		if e.server != nil {
			stopEtcd(e.server)
		}
		if e.sockets != "" {
			_ = os.RemoveAll(e.sockets)
		}
		_ = e.lock.Close()
	})
}

// stopEtcd skips the graceful end that embed.Etcd.Close does first: it waits for API servers' watches, which never end by themselves.
func stopEtcd(server *embed.Etcd) {
	server.Server.HardStop()
	closed := make(chan struct{})
	go func() { server.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
	}
}
