package nodepool

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// client is the operator's way to the management cluster. What is read has the
// dates of the story's own clock.
func (o *operator) client() client.Client {
	return interceptor.NewClient(server, interceptor.Funcs{
		Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if o.isDead() {
				return errCut
			}
			err := w.Get(ctx, key, obj, opts...)
			o.date(obj)
			return err
		},
		List: func(ctx context.Context, w client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if o.isDead() {
				return errCut
			}
			if err := w.List(ctx, list, opts...); err != nil {
				return err
			}
			return meta.EachListItem(list, func(item runtime.Object) error {
				o.date(item.(client.Object))
				return nil
			})
		},
		Create: func(ctx context.Context, w client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			return o.write(o.line("create", obj, nil), func() error {
				o.beforeWrite(obj, nil, true)
				err := w.Create(ctx, obj, opts...)
				o.mu.Lock()
				defer o.mu.Unlock()
				o.born[obj.GetUID()] = o.a.clock.Now()
				return err
			})
		},
		Patch: func(ctx context.Context, w client.WithWatch, obj client.Object, p client.Patch, opts ...client.PatchOption) error {
			data, err := p.Data(obj)
			if err != nil {
				return err
			}
			return o.write(o.line("patch", obj, data), func() error {
				o.beforeWrite(obj, data, false)
				err := w.Patch(ctx, obj, p, opts...)
				o.date(obj)
				return err
			})
		},
		Delete: func(ctx context.Context, w client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			return o.write(o.line("delete", obj, nil), func() error {
				o.beforeWrite(obj, nil, true)
				return w.Delete(ctx, obj, opts...)
			})
		},
		SubResourcePatch: func(ctx context.Context, w client.Client, sub string, obj client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			return o.write(o.line("patch "+sub+" of", obj, nil), func() error {
				err := w.SubResource(sub).Patch(ctx, obj, p, opts...)
				o.date(obj)
				return err
			})
		},
	})
}

// date replaces the API server's date of creation.
func (o *operator) date(obj client.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if at, known := o.born[obj.GetUID()]; known {
		obj.SetCreationTimestamp(metav1.NewTime(at))
	}
}

// line is a write in one line: what was done to what, and which fields. Pools
// are numbered as they appear, so that two stories can be compared.
func (o *operator) line(verb string, obj client.Object, data []byte) string {
	kind, name := "", obj.GetName()
	switch obj.(type) {
	case *fleetwrightv1.Nodepool:
		kind = "Nodepool"
	case *clusterv1.MachinePool:
		kind, name = "MachinePool", o.a.appear(name)
	case *unstructured.Unstructured:
		kind, name = "infrastructure", o.a.appear(name)
	}
	return strings.TrimSpace(verb + " " + kind + " " + name + " " + fieldsOf(data))
}

// appear gives a pool its number.
func (a *azure) appear(object string) string {
	if !slices.Contains(a.appeared, object) {
		a.appeared = append(a.appeared, object)
	}
	return "pool" + string(rune('1'+slices.Index(a.appeared, object)))
}

// fieldsOf are the names of what a merge patch writes, the lock left out.
func fieldsOf(data []byte) string {
	var patch struct {
		Metadata struct {
			Annotations, Labels map[string]any
			Finalizers          []string
		}
		Spec map[string]any
	}
	_ = json.Unmarshal(data, &patch)
	fields := slices.Collect(maps.Keys(patch.Spec))
	for key, value := range patch.Metadata.Annotations {
		if key = strings.TrimPrefix(key, "fleetwright.io/"); value == nil {
			key = "-" + key
		}
		fields = append(fields, key)
	}
	if patch.Metadata.Labels != nil {
		fields = append(fields, "labels")
	}
	slices.Sort(fields)
	return strings.Join(fields, ",")
}

// beforeWrite holds the invariants of what Azure is asked for.
func (o *operator) beforeWrite(obj client.Object, data []byte, whole bool) {
	_, isMachinePool := obj.(*clusterv1.MachinePool)
	_, isInfra := obj.(*unstructured.Unstructured)
	var patch struct {
		Spec map[string]any
	}
	_ = json.Unmarshal(data, &patch)
	if !isMachinePool && !isInfra || !whole && patch.Spec == nil {
		return
	}
	_, number := patch.Spec["replicas"]
	o.asks(obj.GetName(), isMachinePool && !whole && number && len(patch.Spec) == 1)
	if n, said := patch.Spec["replicas"].(float64); said && isMachinePool {
		o.a.checkSize(obj.GetName(), int(n))
	}
}

// asks is I12: one operation at a time. The number of a pool that Azure is at
// work on already is the second half of what it was asked for: the first half
// pins it, and a cut in between is healed.
func (o *operator) asks(object string, secondHalf bool) {
	if o.asked != "" && o.asked != object {
		o.a.t.Errorf("I12: pool %s is written while Azure has yet to see what was written to pool %s", object, o.asked)
	}
	o.asked = object
	for _, p := range o.a.agentPools {
		if p.working != "" && !(secondHalf && p.object == object) {
			o.a.t.Errorf("I12: pool %s is written while Azure is %s pool %s", object, p.working, p.object)
		}
	}
}

// serveWorkload is the operator's way to the workload cluster: nodes are closed
// and opened, pods evicted, and nothing else is written.
func (o *operator) serveWorkload() (address string) {
	to, err := url.Parse(serverConfig.Host)
	if err != nil {
		o.a.t.Fatal(err)
	}
	transport, err := rest.TransportFor(serverConfig)
	if err != nil {
		o.a.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = transport
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if o.isDead() {
				http.Error(w, "the operator is dead", http.StatusInternalServerError)
				return
			}
			if o.onRead != nil {
				o.onRead(r)
			}
			proxy.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		line := o.workloadLine(r)
		if line == "evict" && o.onEvict != nil {
			o.onEvict()
		}
		if err := o.write(line, func() error { proxy.ServeHTTP(answer, r); return nil }); err != nil {
			panic(http.ErrAbortHandler) // there is no answer
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = bytes.NewReader(answer.Body.Bytes()).WriteTo(w)
	}))
	o.a.t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

func (o *operator) workloadLine(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodPost && len(parts) == 7 && parts[6] == "eviction":
		return "evict"
	case r.Method == http.MethodPatch && len(parts) == 4 && parts[2] == "nodes":
		body := &bytes.Buffer{}
		_, _ = body.ReadFrom(r.Body)
		r.Body = readCloser{bytes.NewReader(body.Bytes())}
		return "patch Node of " + o.a.poolOf(parts[3]) + " " + fieldsOf(body.Bytes())
	}
	if o.a.replicaSet != "" {
		// The ladder may help tenants who can be helped.
		switch {
		case r.Method == http.MethodPatch && len(parts) == 7 && parts[5] == "deployments":
			return "patch Deployment"
		case r.Method == http.MethodPost && len(parts) == 5 && parts[4] == "events":
			return "tell"
		}
	}
	o.a.t.Errorf("I3: the operator writes %s %s to the workload cluster", r.Method, r.URL.Path)
	return r.Method + " " + r.URL.Path
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// poolOf is the number of a node's pool.
func (a *azure) poolOf(node string) string {
	var n corev1.Node
	if err := server.Get(a.t.Context(), client.ObjectKey{Name: node}, &n); err != nil {
		return "?"
	}
	for _, p := range a.agentPools {
		if p.name == n.Labels[agentPoolLabel] {
			return a.appear(p.object)
		}
	}
	return "?"
}
