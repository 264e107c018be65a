package workloadclusterclass

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// server is a real API server with our definitions. Each test has namespaces of its own there.
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
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, fleetwrightv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return 0, err
		}
	}
	serverConfig = config
	if server, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

func create(t *testing.T, o client.Object) {
	t.Helper()
	if err := server.Create(t.Context(), o); err != nil {
		t.Fatalf("create %T %s: %v", o, o.GetName(), err)
	}
}

func newClass(t *testing.T, namespace, name string) *fleetwrightv1.WorkloadClusterClass {
	t.Helper()
	out := &fleetwrightv1.WorkloadClusterClass{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	out.Spec.Template.Version = "v1.34.2"
	create(t, out)
	return out
}

func newCluster(t *testing.T, namespace, name string, class fleetwrightv1.NamespacedReference) *fleetwrightv1.WorkloadCluster {
	t.Helper()
	out := &fleetwrightv1.WorkloadCluster{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	out.Spec.ClassRef = class
	create(t, out)
	return out
}

func pointTo(t *testing.T, cluster *fleetwrightv1.WorkloadCluster, namespace, name string) {
	t.Helper()
	patch := fmt.Sprintf(`{"spec": {"classRef": {"namespace": %q, "name": %q}}}`, namespace, name)
	if err := server.Patch(t.Context(), cluster, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		t.Fatal(err)
	}
}

// said is what the class reports, in one line; "gone" when it is.
func said(t *testing.T, class *fleetwrightv1.WorkloadClusterClass) string {
	t.Helper()
	if err := server.Get(t.Context(), client.ObjectKeyFromObject(class), class); apierrors.IsNotFound(err) {
		return "gone"
	} else if err != nil {
		t.Fatal(err)
	}
	var out []string
	if class.Status.Clusters != nil {
		out = append(out, fmt.Sprint(*class.Status.Clusters))
	}
	if about := class.Status.ObservedGeneration; class.Status.Clusters != nil && about != class.Generation {
		out = append(out, fmt.Sprintf("about generation %d of %d", about, class.Generation))
	}
	for _, c := range class.Status.Conditions {
		out = append(out, strings.TrimSuffix(fmt.Sprintf("%s %s %s: %s", c.Type, c.Status, c.Reason, c.Message), ": "))
	}
	return strings.Join(out, "; ")
}

// stale is a cache that has heard of no cluster.
type stale struct{ client.Client }

func (stale) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

func TestStory(t *testing.T) {
	for _, name := range []string{"platform", "prod"} {
		create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	recorder := events.NewFakeRecorder(10)
	r := &Reconciler{Client: server, Live: server, Recorder: recorder, Clock: testclock.NewFakePassiveClock(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))}
	class := newClass(t, "platform", "v7")
	look := func(what, want string) {
		t.Helper()
		// What it is handed comes from the cache and may be old; what it writes must not depend on it.
		handed := &fleetwrightv1.WorkloadClusterClass{ObjectMeta: metav1.ObjectMeta{Namespace: class.Namespace, Name: class.Name}}
		if _, err := r.Reconcile(t.Context(), handed); err != nil {
			t.Fatal(err)
		}
		if got := said(t, class); got != want {
			t.Fatalf("%s:\n got %s\nwant %s", what, got, want)
		}
	}
	const notDeleting = "Deleting False NotDeleting"

	look("a new class", "0; InUse False Unused: no WorkloadCluster points to it; "+notDeleting)
	if len(class.Finalizers) != 1 || class.Finalizers[0] != "fleetwright.io/workloadclusterclass" {
		t.Fatalf("finalizers are %v", class.Finalizers)
	}
	abroad := newCluster(t, "prod", "b", fleetwrightv1.NamespacedReference{Namespace: "platform", Name: "v7"})
	newCluster(t, "prod", "other", fleetwrightv1.NamespacedReference{Name: "v7"}) // one of its own namespace
	look("one points to it", "1; InUse True Referenced: 1 WorkloadCluster points to it: prod/b; "+notDeleting)
	home := newCluster(t, "platform", "a", fleetwrightv1.NamespacedReference{Name: "v7"})
	look("and one of its namespace", "2; InUse True Referenced: 2 WorkloadClusters point to it: platform/a, prod/b; "+notDeleting)
	var more []*fleetwrightv1.WorkloadCluster
	for _, name := range []string{"c", "d", "e"} {
		more = append(more, newCluster(t, "prod", name, fleetwrightv1.NamespacedReference{Namespace: "platform", Name: "v7"}))
	}
	look("many", "5; InUse True Referenced: 5 WorkloadClusters point to it: platform/a, prod/b, prod/c and 2 more; "+notDeleting)
	version := class.ResourceVersion
	look("nothing new", "5; InUse True Referenced: 5 WorkloadClusters point to it: platform/a, prod/b, prod/c and 2 more; "+notDeleting)
	if class.ResourceVersion != version {
		t.Error("a look that changes nothing wrote something")
	}

	if err := server.Delete(t.Context(), class); err != nil {
		t.Fatal(err)
	}
	const inUse = "5; InUse True Referenced: 5 WorkloadClusters point to it: platform/a, prod/b, prod/c and 2 more; " +
		"Deleting True StillInUse: 5 WorkloadClusters point to it: platform/a, prod/b, prod/c and 2 more: point them to another class"
	look("deleted while it is used", inUse)
	look("again", inUse)
	if got := len(recorder.Events); got != 1 {
		t.Errorf("%d events tell of it, want 1", got)
	} else if got := <-recorder.Events; !strings.HasPrefix(got, "Warning StillInUse 5 WorkloadClusters point to it: ") {
		t.Errorf("the event says %s", got)
	}
	if err := server.Status().Patch(t.Context(), class, client.RawPatch(types.MergePatchType, []byte(`{"status": null}`))); err != nil {
		t.Fatal(err)
	}
	look("a status that was wiped", inUse)
	for _, c := range append(more, abroad) {
		pointTo(t, c, "platform", "v8")
	}
	r.Client = stale{server}
	look("a cache that has heard of nobody", "1; InUse True Referenced: 1 WorkloadCluster points to it: platform/a; "+
		"Deleting True StillInUse: 1 WorkloadCluster points to it: platform/a: point them to another class")
	if err := server.Delete(t.Context(), home); err != nil {
		t.Fatal(err)
	}
	look("unused", "gone")
	look("and gone", "gone")
}

// In a real manager a class hears of those who come to it and of those who leave.
func TestInAManager(t *testing.T) {
	create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "manager"}})
	mgr := testkit.NewManager(t, serverConfig, server.Scheme())
	r := &Reconciler{Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Recorder: events.NewFakeRecorder(100), Clock: clock.RealClock{}}
	if err := r.watch(mgr); err != nil {
		t.Fatal(err)
	}
	testkit.Run(t, mgr)
	v7, v8 := newClass(t, "manager", "v7"), newClass(t, "manager", "v8")
	eventually := func(class *fleetwrightv1.WorkloadClusterClass, want string) {
		t.Helper()
		testkit.Eventually(t, class.Name+" says "+want, func() error {
			if got := said(t, class); !strings.HasPrefix(got, want) {
				return fmt.Errorf("it says %q", got)
			}
			return nil
		})
	}
	eventually(v7, "0")
	c := newCluster(t, "manager", "c", fleetwrightv1.NamespacedReference{Name: "v7"})
	eventually(v7, "1; InUse True")
	pointTo(t, c, "manager", "v8")
	eventually(v8, "1; InUse True")
	eventually(v7, "0; InUse False")
	if err := server.Delete(t.Context(), v8); err != nil {
		t.Fatal(err)
	}
	eventually(v8, "1; InUse True Referenced: 1 WorkloadCluster points to it: manager/c; Deleting True StillInUse")
	if err := server.Delete(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	eventually(v8, "gone")
}
