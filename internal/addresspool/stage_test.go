package addresspool

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// server is a real API server with our definitions.
var (
	server       client.Client
	serverConfig *rest.Config
)

func TestMain(m *testing.M) {
	code, err := withServer(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withServer(m *testing.M) (code int, err error) {
	config, stop, err := testkit.StartAPIServer()
	if err != nil {
		return 0, err
	}
	defer func() {
		if stopErr := stop(); err == nil {
			err = stopErr
		}
	}()
	config.QPS = -1
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, fleetwrightv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return 0, err
		}
	}
	if server, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return 0, err
	}
	serverConfig = config
	return m.Run(), nil
}

// stage is a namespace of pools, one of claims, and a reconciler whose clock stands still.
type stage struct {
	t               *testing.T
	namespace, prod string
	clock           *testclock.FakePassiveClock
	recorder        *events.FakeRecorder
	reconciler      *Reconciler
}

// newStage makes a stage on which nothing of other stages is left: pools look at each other.
func newStage(t *testing.T) *stage {
	t.Helper()
	name := strings.ToLower(strings.TrimPrefix(t.Name(), "Test"))
	s := &stage{t: t, namespace: name, prod: name + "-prod", clock: testclock.NewFakePassiveClock(noon), recorder: events.NewFakeRecorder(100)}
	s.reconciler = &Reconciler{Client: server, Live: server, Recorder: s.recorder, Clock: s.clock}
	for _, n := range []string{s.namespace, s.prod} {
		s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n}})
	}
	t.Cleanup(s.clean)
	return s
}

func (s *stage) clean() {
	for _, list := range []client.ObjectList{&fleetwrightv1.AddressAllocationList{}, &fleetwrightv1.AddressPoolList{}, &fleetwrightv1.AddressClaimList{}} {
		if err := server.List(context.Background(), list); err != nil {
			s.t.Fatal(err)
		}
		var objects []client.Object
		switch l := list.(type) {
		case *fleetwrightv1.AddressAllocationList:
			for i := range l.Items {
				objects = append(objects, &l.Items[i])
			}
		case *fleetwrightv1.AddressPoolList:
			for i := range l.Items {
				objects = append(objects, &l.Items[i])
			}
		case *fleetwrightv1.AddressClaimList:
			for i := range l.Items {
				objects = append(objects, &l.Items[i])
			}
		}
		for _, o := range objects {
			bare := client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"finalizers": null}}`))
			if err := client.IgnoreNotFound(server.Patch(context.Background(), o, bare)); err != nil {
				s.t.Fatal(err)
			}
			if err := client.IgnoreNotFound(server.Delete(context.Background(), o)); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

func (s *stage) create(o client.Object) {
	s.t.Helper()
	if err := server.Create(s.t.Context(), o); err != nil {
		s.t.Fatalf("create %T %s: %v", o, o.GetName(), err)
	}
}

// pool makes one; older ones have to be made first, and to be before the others by name.
func (s *stage) pool(name string, prefixes ...string) *fleetwrightv1.AddressPool {
	s.t.Helper()
	p := &fleetwrightv1.AddressPool{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
	p.Spec.Prefixes = prefixes
	s.create(p)
	return p
}

// bind makes a claim with one range of the pool, and its allocation as the claim makes it.
func (s *stage) bind(pool, claim, cidr string) *fleetwrightv1.AddressAllocation {
	s.t.Helper()
	c := &fleetwrightv1.AddressClaim{ObjectMeta: metav1.ObjectMeta{Namespace: s.prod, Name: claim}}
	c.Spec.ClusterName = claim
	c.Spec.Ranges = []fleetwrightv1.ClaimedRange{{Name: "vnet", PoolRef: fleetwrightv1.NamespacedReference{Namespace: s.namespace, Name: pool}, PrefixLength: 20}}
	s.create(c)
	a := &fleetwrightv1.AddressAllocation{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: pool + "-" + claim, Finalizers: []string{"fleetwright.io/addressclaim"}}}
	a.Spec = fleetwrightv1.AddressAllocationSpec{PoolName: pool, CIDR: cidr, Claim: fleetwrightv1.AllocationClaim{Namespace: s.prod, Name: claim, Range: "vnet"}}
	s.create(a)
	return a
}

// imported makes an allocation as people write it.
func (s *stage) imported(pool, name, cidr string) *fleetwrightv1.AddressAllocation {
	s.t.Helper()
	a := &fleetwrightv1.AddressAllocation{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
	a.Spec = fleetwrightv1.AddressAllocationSpec{PoolName: pool, CIDR: cidr}
	s.create(a)
	return a
}

// patch merges something into an object.
func (s *stage) patch(o client.Object, patch string) {
	s.t.Helper()
	if err := server.Patch(s.t.Context(), o, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		s.t.Fatalf("patch %s with %s: %v", o.GetName(), patch, err)
	}
}

func (s *stage) delete(o client.Object) {
	s.t.Helper()
	if err := server.Delete(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

// wipe deletes the status of an object.
func (s *stage) wipe(o client.Object) {
	s.t.Helper()
	if err := server.Status().Patch(s.t.Context(), o, client.RawPatch(types.MergePatchType, []byte(`{"status": null}`))); err != nil {
		s.t.Fatal(err)
	}
}

// choose writes a choice into the annotation of a pool, as claims do.
func (s *stage) choose(pool client.Object, name, cidr string) {
	s.t.Helper()
	entry := `{"` + name + `": {"spec": {"poolName": "` + pool.GetName() + `", "cidr": "` + cidr + `", "claim": {"namespace": "` + s.prod + `", "name": "x", "range": "vnet"}}}}`
	s.patch(pool, fmt.Sprintf(`{"metadata": {"annotations": {"fleetwright.io/allocating": %q}}}`, entry))
}

// there reads an object again; false when it is gone.
func (s *stage) there(o client.Object) bool {
	s.t.Helper()
	err := server.Get(s.t.Context(), client.ObjectKeyFromObject(o), o)
	if client.IgnoreNotFound(err) != nil {
		s.t.Fatal(err)
	}
	return !apierrors.IsNotFound(err)
}

// look reconciles a pool once, and says what it reports and when it is looked at again.
func (s *stage) look(name string) string {
	s.t.Helper()
	key := types.NamespacedName{Namespace: s.namespace, Name: name}
	result, err := s.reconciler.Reconcile(s.t.Context(), ctrl.Request{NamespacedName: key})
	if err != nil {
		s.t.Fatal(err)
	}
	p := &fleetwrightv1.AddressPool{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
	if !s.there(p) {
		return "gone"
	}
	var said []string
	for _, c := range p.Status.Conditions {
		if c.Type == "Ready" || c.Status != metav1.ConditionFalse {
			said = append(said, fmt.Sprint(c.Type, " ", c.Status, " ", c.Reason))
		}
		if c.ObservedGeneration != p.Generation || p.Status.ObservedGeneration != p.Generation {
			s.t.Errorf("it speaks about generation %d, and is %d", c.ObservedGeneration, p.Generation)
		}
	}
	numbers := "nothing counted"
	if p.Status.Allocated != nil && p.Status.FreePercent != nil {
		numbers = fmt.Sprintf("%d given out, %d%% free, largest %s", *p.Status.Allocated, *p.Status.FreePercent, p.Status.LargestFree)
	}
	return fmt.Sprintf("%s; %s; again in %s", strings.Join(said, ", "), numbers, span(result.RequeueAfter))
}

func (s *stage) expect(what, pool, want string) {
	s.t.Helper()
	if got := s.look(pool); got != want {
		s.t.Fatalf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// reports are the reason that an allocation reports; "gone" when it is.
func (s *stage) reports(a *fleetwrightv1.AddressAllocation, want string) {
	s.t.Helper()
	got := "gone"
	if s.there(a) {
		got = strings.Fields(saidBy(s.t, a.Status.Conditions, "Ready") + " nothing nothing")[1]
	}
	if got != want+":" && got != want {
		s.t.Fatalf("%s reports %s, want %s", a.Name, got, want)
	}
}

// told are the events since the last time.
func (s *stage) told() []string {
	var out []string
	for {
		select {
		case e := <-s.recorder.Events:
			out = append(out, e)
		default:
			slices.Sort(out)
			return out
		}
	}
}
