package stack

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// clusterLabel says on a node of a shared API server to which cluster it belongs.
const clusterLabel = "localstack.fleetwright.io/cluster"

// clusterPath comes before the name of a cluster in the addresses of a shared API server.
const clusterPath = "/c/"

// sharedFront makes one API server look like many: each cluster has an address with a path of its own, and sees through it
// only its own nodes when it lists, watches or deletes many. Everything else is the same through every path.
type sharedFront struct {
	mu sync.Mutex
	// open are the lives of the clusters that have an address now, by name.
	open map[string]tenant
}

// tenant is a cluster's life: what it still reads when it ends is cut off, as when an API server is gone.
type tenant struct {
	ctx context.Context
	end context.CancelFunc
}

func newSharedFront() *sharedFront { return &sharedFront{open: map[string]tenant{}} }

// add gives a cluster its path.
func (f *sharedFront) add(name string) (path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, have := f.open[name]; !have {
		ctx, end := context.WithCancel(context.Background())
		f.open[name] = tenant{ctx, end}
	}
	return clusterPath + name
}

// remove takes the path away and ends the requests that came by it.
func (f *sharedFront) remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if have, ok := f.open[name]; ok {
		have.end()
		delete(f.open, name)
	}
}

func (f *sharedFront) life(name string) (context.Context, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	have, ok := f.open[name]
	return have.ctx, ok
}

// wrap puts the front before an API server. Addresses without such a path are the server's own and see everything.
func (f *sharedFront) wrap(server http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, found := strings.CutPrefix(r.URL.Path, clusterPath)
		if !found {
			server.ServeHTTP(w, r)
			return
		}
		name, path, _ := strings.Cut(rest, "/")
		life, ok := f.life(name)
		if !ok {
			http.Error(w, "no cluster has this address", http.StatusServiceUnavailable)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		inner := r.WithContext(ctx)
		inner.URL = innerURL(r.URL, name, "/"+path, r.Method)
		inner.RequestURI = inner.URL.RequestURI()
		server.ServeHTTP(w, inner)
	})
}

// innerURL is the address that the server itself would have been asked for.
func innerURL(outer *url.URL, name, path, method string) *url.URL {
	inner := *outer
	inner.Path, inner.RawPath = path, strings.TrimPrefix(outer.RawPath, clusterPath+name)
	if method == http.MethodPost || !isNodes(path) {
		return &inner
	}
	query := inner.Query()
	selector := clusterLabel + "=" + name
	if asked := query.Get("labelSelector"); asked != "" {
		selector = asked + "," + selector
	}
	query.Set("labelSelector", selector)
	inner.RawQuery = query.Encode()
	return &inner
}

// isNodes is true for the collection, also by the way in which old clients watch it.
func isNodes(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return path == "/api/v1/nodes" || path == "/api/v1/watch/nodes"
}
