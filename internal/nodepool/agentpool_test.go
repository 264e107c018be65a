package nodepool

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// agentPool is a pool as Azure has it.
type agentPool struct {
	object, name, version string
	made                  bool
	// working is the operation in flight, or empty. Each takes one step.
	working string
	// asked is what the last operation was asked for.
	asked asked
	// nodes are its machines, which are Nodes at once; leaving are those that
	// somebody asked to take away.
	nodes, leaving []string
}

// asked is what CAPZ asks of Azure: the objects' fields, not what they became.
type asked struct {
	count   int32
	scaling string
	spec    string
}

// Operations of Azure.
const (
	creating  = "Creating"
	updating  = "Updating"
	deleting  = "Deleting"
	shrinking = "Shrinking" // CAPZ shows nothing of it
)

const finalizer = "cluster.x-k8s.io/scripted"

func (a *azure) made(object string) bool {
	p := a.agentPools[object]
	return p != nil && p.made && p.working == ""
}

// pools reads what the objects say.
func (a *azure) pools() []capi.Pool {
	a.t.Helper()
	if !a.seen.Found {
		a.seen = readCluster(a.t, a.cluster())
	}
	pools, err := a.seen.ReadPools(a.t.Context(), server, a.clock.Now())
	if err != nil {
		a.t.Fatal(err)
	}
	return pools
}

func readCluster(t *testing.T, key types.NamespacedName) capi.Cluster {
	t.Helper()
	cluster, err := capi.ReadCluster(t.Context(), server, key)
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

// objects are a pool's two; nil is missing.
func (a *azure) objects(object string) (*unstructured.Unstructured, *clusterv1.MachinePool) {
	a.t.Helper()
	key := types.NamespacedName{Namespace: a.namespace, Name: object}
	infra, mp := a.object(a.flavor.Kinds().Pool, object), &clusterv1.MachinePool{}
	get := func(o client.Object) bool {
		err := server.Get(a.t.Context(), key, o)
		if err != nil && !apierrors.IsNotFound(err) {
			a.t.Fatal(err)
		}
		return err == nil
	}
	if !get(infra) {
		infra = nil
	}
	if !get(mp) {
		mp = nil
	}
	return infra, mp
}

// step lets every pool take one step, and pods find their places.
func (a *azure) step() {
	a.t.Helper()
	a.changed = false
	of := map[string]int{}
	for _, p := range a.pools() {
		if of[p.Nodepool]++; of[p.Nodepool] > 3 {
			a.t.Errorf("I10: there are %d pools of Nodepool %s", of[p.Nodepool], p.Nodepool)
		}
		a.stepPool(p)
	}
	a.schedule()
	a.op.asked = ""
}

func (a *azure) stepPool(seen capi.Pool) {
	a.t.Helper()
	infra, mp := a.objects(seen.Object)
	switch {
	case infra == nil && mp != nil && !mp.DeletionTimestamp.IsZero():
		a.letGo(mp)
		return
	case infra == nil, mp == nil && infra.GetDeletionTimestamp() == nil:
		return // CAPZ and CAPI wait for the other half
	}
	p := a.agentPools[seen.Object]
	if p == nil {
		p = &agentPool{object: seen.Object, name: seen.Name, version: seen.Spec.Version}
		a.agentPools[seen.Object] = p
		a.hold(infra)
		if mp != nil {
			a.hold(mp)
		}
	}
	leaves := mp == nil || !mp.DeletionTimestamp.IsZero()
	wanted := askedBy(a.flavor, infra, mp, seen)
	switch {
	case p.working != "":
		a.finish(p, seen, infra, mp)
	case leaves:
		a.begin(p, infra, deleting)
	case !p.made:
		p.asked = wanted
		a.begin(p, infra, creating)
	case p.asked != wanted:
		p.asked = wanted
		a.begin(p, infra, updating)
	}
}

// askedBy is what CAPZ makes of the objects. The autoscaler's number is not
// asked for.
func askedBy(f capi.Flavor, infra *unstructured.Unstructured, mp *clusterv1.MachinePool, seen capi.Pool) asked {
	spec := maps.Clone(agentPoolSpec(f, infra))
	delete(spec, "providerIDList")
	text, _ := json.Marshal(spec)
	out := asked{spec: string(text)}
	switch {
	case seen.Spec.Scaling != nil:
		out.scaling = fmt.Sprint(*seen.Spec.Scaling)
	case mp != nil && mp.Spec.Replicas != nil:
		out.count = *mp.Spec.Replicas
	}
	return out
}

func (a *azure) begin(p *agentPool, infra *unstructured.Unstructured, what string) {
	a.t.Helper()
	a.changed, p.working = true, what
	a.tell(infra, p)
}

func (a *azure) finish(p *agentPool, seen capi.Pool, infra *unstructured.Unstructured, mp *clusterv1.MachinePool) {
	a.t.Helper()
	a.changed = true
	what := p.working
	p.working = ""
	switch what {
	case deleting:
		a.vanish(p, slices.Clone(p.nodes))
		a.remove(p, infra, mp)
		return
	case shrinking:
		a.vanish(p, p.leaving)
		p.leaving = nil
	case creating, updating:
		a.resize(p, seen, infra, mp)
		p.made = true
	}
	if mp != nil {
		a.list(p, infra, mp, seen.Spec.Scaling != nil)
	}
	a.tell(infra, p)
}

// resize makes as many machines as are asked for, or takes some, whatever runs
// there.
func (a *azure) resize(p *agentPool, seen capi.Pool, infra *unstructured.Unstructured, mp *clusterv1.MachinePool) {
	a.t.Helper()
	want := len(p.nodes)
	if mp != nil && (seen.Spec.Scaling == nil || !p.made) {
		want = int(*mp.Spec.Replicas)
	}
	if s := seen.Spec.Scaling; s != nil {
		if want > int(s.Max) || want < int(s.Min) {
			a.t.Errorf("Azure refuses the bounds %v of pool %s, which has %d nodes", *s, p.name, want)
		}
	}
	if want > len(p.nodes) && a.leaves(seen, mp) {
		a.t.Errorf("pool %s, which leaves, is given %d nodes and has %d", p.name, want, len(p.nodes))
	}
	for len(p.nodes) < want {
		p.nodes = append(p.nodes, a.boot(p, infra))
	}
	a.vanish(p, slices.Clone(p.nodes[want:]))
}

// leaves is true for a pool that began to drain and is not wanted again.
func (a *azure) leaves(seen capi.Pool, mp *clusterv1.MachinePool) bool {
	a.t.Helper()
	if mp == nil || mp.Annotations[fleetwrightv1.AnnotationDrainStarted] == "" {
		return false
	}
	var np fleetwrightv1.Nodepool
	if err := server.Get(a.t.Context(), types.NamespacedName{Namespace: a.namespace, Name: seen.Nodepool}, &np); err != nil {
		a.t.Fatal(err)
	}
	return np.Spec.MachineType != seen.Spec.MachineType
}

// boot makes a machine that is a ready Node at once.
func (a *azure) boot(p *agentPool, infra *unstructured.Unstructured) string {
	a.t.Helper()
	a.machines++
	labels := map[string]string{}
	own, _ := agentPoolSpec(a.flavor, infra)["nodeLabels"].(map[string]any)
	for key, value := range own {
		labels[key] = value.(string)
	}
	maps.Copy(labels, map[string]string{agentPoolLabel: p.name, "story": a.namespace})
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%s-%d", a.namespace, p.name, a.machines), Labels: labels},
	}
	node.Spec.ProviderID = a.providerID(p, node.Name)
	create(a.t, node)
	node.Status.NodeInfo.KubeletVersion = p.version
	node.Status.Allocatable = corev1.ResourceList{"cpu": resource.MustParse("4"), "memory": resource.MustParse("14Gi"), "pods": resource.MustParse("110")}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(a.clock.Now())}}
	if err := server.Status().Update(a.t.Context(), node); err != nil {
		a.t.Fatal(err)
	}
	return node.Name
}

func (a *azure) providerID(p *agentPool, node string) string {
	return fmt.Sprintf("azure:///subscriptions/0/resourceGroups/mc_%s/providers/Microsoft.Compute/virtualMachineScaleSets/aks-%s-02118794-vmss/virtualMachines/%s", a.namespace, p.name, node[len(a.namespace)+len(p.name)+2:])
}

// vanish takes machines away as Azure does: without a look at what runs there.
func (a *azure) vanish(p *agentPool, names []string) {
	a.t.Helper()
	for _, name := range names {
		for _, pod := range a.podsOn(name) {
			a.t.Errorf("I3: node %s of pool %s was taken away while pod %s ran there", name, p.name, pod.Name)
		}
		if err := server.Delete(a.t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			a.t.Fatal(err)
		}
	}
	p.nodes = slices.DeleteFunc(p.nodes, func(n string) bool { return slices.Contains(names, n) })
}

// list writes down what CAPZ and CAPI do: the machines, and their number while
// the autoscaler chooses it.
func (a *azure) list(p *agentPool, infra *unstructured.Unstructured, mp *clusterv1.MachinePool, scaled bool) {
	a.t.Helper()
	ids := make([]any, 0, len(p.nodes))
	mp.Spec.ProviderIDList = nil
	for _, n := range p.nodes {
		ids = append(ids, a.providerID(p, n))
		mp.Spec.ProviderIDList = append(mp.Spec.ProviderIDList, a.providerID(p, n))
	}
	if err := unstructured.SetNestedSlice(infra.Object, ids, "spec", "providerIDList"); err != nil {
		a.t.Fatal(err)
	}
	if scaled {
		mp.Spec.Replicas = new(int32(len(p.nodes)))
	}
	for _, o := range []client.Object{infra, mp} {
		if err := server.Update(a.t.Context(), o); err != nil {
			a.t.Fatal(err)
		}
	}
}

// hold is CAPI's and CAPZ's own finalizer.
func (a *azure) hold(o client.Object) {
	a.t.Helper()
	if o.GetDeletionTimestamp() == nil && controllerutil.AddFinalizer(o, finalizer) {
		if err := server.Update(a.t.Context(), o); err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *azure) letGo(o client.Object) {
	a.t.Helper()
	a.changed = true
	o.SetFinalizers(nil)
	if err := client.IgnoreNotFound(server.Update(a.t.Context(), o)); err != nil {
		a.t.Fatal(err)
	}
}

// remove ends the objects of a pool that Azure has deleted.
func (a *azure) remove(p *agentPool, infra *unstructured.Unstructured, mp *clusterv1.MachinePool) {
	a.t.Helper()
	delete(a.agentPools, p.object)
	a.removeRelated(infra)
	if err := server.Delete(a.t.Context(), infra); err != nil {
		a.t.Fatal(err)
	}
	infra, _ = a.objects(p.object)
	a.letGo(infra)
	if mp != nil {
		a.letGo(mp)
	}
}

// checkEnd is I14: one pool, as the spec says, and nothing of ours left where it
// does not belong.
func (a *azure) checkEnd() {
	a.t.Helper()
	np, pools := a.get("general"), a.pools()
	if len(pools) != 1 || len(a.agentPools) != 1 {
		a.t.Fatalf("I14: %d pools are left in the cluster and %d in Azure, want 1", len(pools), len(a.agentPools))
	}
	p := pools[0]
	if changes := agentpool.Changes(wantedSpec(np.Spec), p.Spec); len(changes) > 0 {
		a.t.Errorf("I14: the pool is not as the spec says: %s", agentpool.Describe(changes))
	}
	if p.Carried != nil || !p.DrainStarted.IsZero() || !p.EmptySince.IsZero() || p.Unmarked {
		a.t.Errorf("I14: the pool still has marks of a replacement: %+v", p)
	}
	a.checkNodesAreFree()
}

func (a *azure) checkNodesAreFree() {
	a.t.Helper()
	for _, n := range a.nodes() {
		if n.Spec.Unschedulable || len(n.Annotations) > 0 {
			a.t.Errorf("node %s: unschedulable %t, annotations %v", n.Name, n.Spec.Unschedulable, n.Annotations)
		}
	}
	if n := len(a.podsOn("")); n != a.pods {
		a.t.Errorf("%d pods run, want %d", n, a.pods)
	}
}
