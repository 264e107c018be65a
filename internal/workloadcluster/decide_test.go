package workloadcluster

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/hold"
	"github.com/fleetwright/fleetwright/internal/maintenance"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// serving is a world in which all is as it should be. changeSpec comes before anything is made of the spec.
func serving(t *testing.T, changeSpec ...func(*fleetwrightv1.WorkloadClusterSpec)) world {
	t.Helper()
	object := &fleetwrightv1.WorkloadCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "c", CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))}}
	if err := yaml.UnmarshalStrict([]byte(small(aso)), &object.Spec); err != nil {
		t.Fatal(err)
	}
	for _, change := range changeSpec {
		change(&object.Spec)
	}
	w := world{object: object, window: maintenance.State{Open: true}}
	w.merge(t)
	w.state = capi.ClusterState{
		Cluster: capi.Cluster{Namespace: "prod", Name: "c", Found: true, Provisioned: true, Version: "v1.33.6", WantedVersion: "v1.33.6", Labels: map[string]string{}},
		Ours:    true, Reachable: true, Created: noon, VNet: "10.64.16.0/23", Infrastructure: capi.Stage{Exists: true, Done: true}, ControlPlane: capi.Stage{Exists: true, Done: true},
	}
	claim := &fleetwrightv1.AddressClaim{ObjectMeta: metav1.ObjectMeta{Name: "c"}, Spec: fleetwrightv1.AddressClaimSpec{Reconcile: "Active"}}
	claim.Status.Ranges = network
	claim.Status.Conditions = saying("Ready True Bound")
	w.claim = w.childOf(t, kindClaim, claim)
	in := intend(w, noon)
	for _, wanted := range in.nodepools {
		np := &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Name: wanted.name}}
		typed(t, wanted.spec, &np.Spec)
		np.Status.Conditions = saying("Ready True Ready", "Available True Available", "UpToDate True UpToDate")
		np.Status.Version, np.Status.ReadyReplicas = "v1.33.6", new(int32(2))
		w.nodepools = append(w.nodepools, *w.childOf(t, kindNodepool, np))
	}
	config := &fleetwrightv1.AzureClusterAdditionalConfig{ObjectMeta: metav1.ObjectMeta{Name: "c"}}
	typed(t, in.config.spec, &config.Spec)
	config.Status.Conditions = saying("Ready True Ready", "RegistriesReady True Ready", "AutoscalerReady True Ready")
	w.config = w.childOf(t, kindConfig, config)
	return w
}

func (w *world) merge(t *testing.T) {
	t.Helper()
	var err error
	if w.effective, err = effective.Of(nil, w.object); err != nil {
		t.Fatal(err)
	}
}

func (w *world) childOf(t *testing.T, kind string, o teller) *child {
	t.Helper()
	if o.GetLabels() == nil {
		o.SetLabels(map[string]string{fleetwrightv1.LabelWorkloadCluster: "c"})
	}
	c, err := childOf(kind, "c", o)
	if err != nil {
		t.Fatal(err)
	}
	c.owned = written(c.spec)
	return c
}

// written is a spec in the form of managedFields, as if we had set all of it.
func written(spec map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range spec {
		below, _ := value.(map[string]any)
		out["f:"+name] = written(below)
	}
	return out
}

func typed(t *testing.T, fields map[string]any, into any) {
	t.Helper()
	raw, err := json.Marshal(fields)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// saying are conditions of a few words each; what comes after the reason is the message.
func saying(lines ...string) []metav1.Condition {
	var out []metav1.Condition
	for _, line := range lines {
		words := append(strings.SplitN(line, " ", 4), "")
		out = append(out, metav1.Condition{Type: words[0], Status: metav1.ConditionStatus(words[1]), Reason: words[2], Message: words[3]})
	}
	return out
}

// tells is a plan on a few lines: what is done and what is held back, and conditions that are not as in a serving cluster.
func tells(w world, p *plan) []string {
	var out []string
	for _, a := range p.actions {
		text := a.String()
		if a.verb == tell || a.verb == remove && len(a.spec) > 0 {
			text += fmt.Sprint(" ", a.spec)
		}
		out = append(out, text)
	}
	for _, a := range p.held {
		out = append(out, "held: "+a.String())
	}
	for _, c := range conditions(w, p) {
		usual := c.Status == metav1.ConditionTrue && c.Type != "Paused" && c.Type != "Deleting" && c.Type != "Stalled" && c.Type != "Adopted" ||
			c.Status == metav1.ConditionFalse && (c.Type == "Paused" || c.Type == "Deleting")
		if !usual {
			out = append(out, fmt.Sprintf("%s %s %s: %s", c.Type, c.Status, c.Reason, c.Message))
		}
	}
	if !p.checkAgain.IsZero() {
		out = append(out, "again after "+p.checkAgain.Sub(noon).String())
	}
	return out
}

func (w *world) pool(name string) *fleetwrightv1.Nodepool {
	return w.nodepool(name).object.(*fleetwrightv1.Nodepool)
}

// copied is a copy of a pool, with our label, that we did not make.
func (w *world) copied(t *testing.T) *child {
	np := w.pool("c-general").DeepCopy()
	np.Name, np.Spec.Reconcile = "c-extra", ""
	out := w.childOf(t, kindNodepool, np)
	out.owned = nil
	w.nodepools = append(w.nodepools, *out)
	return &w.nodepools[len(w.nodepools)-1]
}

func leaves(o metav1.Object) {
	at := metav1.NewTime(noon)
	o.SetDeletionTimestamp(&at)
}

var frozen = hold.Hold{Reason: "Frozen", Message: "Freeze x/y (Paused): z"}

func TestDecide(t *testing.T) {
	type spec = fleetwrightv1.WorkloadClusterSpec
	const forgotten = "it has said nothing about its present spec yet"
	for name, test := range map[string]struct {
		spec   func(*spec)
		change func(*world)
		// actions is what is done, want also what is said; only one of them is compared.
		actions, want []string
	}{
		"all is well": {},
		"the Cluster differs": {
			change: func(w *world) {
				w.state.Changes = []capi.Change{{Object: "Cluster c", Field: "metadata.labels.x", To: "y"}}
			},
			actions: []string{"Apply Cluster c"},
		},
		"the Cluster has lost our notes": {change: func(w *world) { w.state.Unmarked = true }, actions: []string{"Apply Cluster c"}},
		"a pool gets another machine type": {
			change: func(w *world) { w.object.Spec.Nodepools[0].Spec.MachineType = "Standard_D4ds_v5"; w.merge(t) },
			want: []string{
				"Apply Nodepool c-system", "Ready Unknown NodepoolsNotReady: 7 of 8 steps done; Nodepool c-system: " + forgotten,
				"UpToDate Unknown NotReported: Nodepool c-system: " + forgotten, "NodepoolsReady Unknown NotReported: Nodepool c-system: " + forgotten,
			},
		},
		"somebody has deleted a pool": {
			change: func(w *world) {
				leaves(w.pool("c-system"))
				w.pool("c-system").Status.Conditions = saying("Deleting True DeletingBlue pool s is being deleted")
			},
			want: []string{
				"Ready False NodepoolsNotReady: 7 of 8 steps done; Nodepool c-system: somebody has deleted it, and it is made anew when it is gone: pool s is being deleted",
				"Available Unknown NotReported: Nodepool c-system: it has said nothing yet",
				"UpToDate Unknown NotReported: Nodepool c-system: " + forgotten,
				"NodepoolsReady False Removing: Nodepool c-system: somebody has deleted it, and it is made anew when it is gone: pool s is being deleted",
			},
		},
		"the spec says no more what there is": {
			change: func(w *world) {
				w.object.Spec.AdditionalConfig = fleetwrightv1.WorkloadClusterAdditionalConfig{}
				w.merge(t)
			},
			want: []string{"Remove AzureClusterAdditionalConfig c", "Ready False Removing: AzureClusterAdditionalConfig c is being removed"},
		},
		"a claim of somebody else": {
			change: func(w *world) { w.claim.ours, w.claim.maker = false, "" },
			want: []string{
				"Ready False AddressesNotReady: 7 of 8 steps done; " + nameTaken(target{kindClaim, "c"}),
				"AddressesReady False NameTaken: " + nameTaken(target{kindClaim, "c"}), "Stalled True NameTaken: " + nameTaken(target{kindClaim, "c"}), "again after 1m0s",
			},
		},
		"everything is frozen": {
			change: func(w *world) { w.hold = frozen; w.state.Unmarked = true },
			want: []string{
				"held: Apply Cluster c", "Ready False HeldBack: Freeze x/y (Paused): z; held back: Apply Cluster c",
				"Paused True Frozen: Freeze x/y (Paused): z; held back: Apply Cluster c",
			},
		},
		"its own pause reaches what was made": {
			change: func(w *world) { w.hold, w.paused = hold.Hold{Reason: "Paused", Message: "it says so"}, true },
			actions: []string{
				"Tell AddressClaim c map[reconcile:Paused]", "Tell Nodepool c-general map[reconcile:Paused]", "Tell Nodepool c-system map[reconcile:Paused]",
				"Tell AzureClusterAdditionalConfig c map[reconcile:Paused]",
				"held: Tell AddressClaim c", "held: Apply Nodepool c-general", "held: Apply Nodepool c-system", "held: Apply AzureClusterAdditionalConfig c",
			},
		},
		"a problem that Azure will not take back": {
			change: func(w *world) {
				w.state.Infrastructure = capi.Stage{Exists: true, Problem: "VirtualNetwork c: no", Fatal: true}
			},
			want: []string{
				"Ready False InfrastructureNotReady: 7 of 8 steps done; VirtualNetwork c: no", "InfrastructureReady False Provisioning: VirtualNetwork c: no",
				"Stalled True ProvisioningFailed: VirtualNetwork c: no", "again after 10s",
			},
		},
		"the API server does not answer": {
			change: func(w *world) { w.state.Reachable = false },
			want: []string{
				"Ready False ControlPlaneNotReady: 7 of 8 steps done; Cluster c: its API server does not answer Cluster API",
				"Available False NotReachable: the API server of Cluster c does not answer Cluster API",
				"ControlPlaneReady False NotReachable: Cluster c: its API server does not answer Cluster API",
			},
		},
		"a class that the cluster was not made of": {
			change: func(w *world) {
				w.state.Fixed = []capi.Change{{Object: "AzureManagedControlPlane c", Field: "spec.location", From: `"a"`, To: `"b"`}}
			},
			want: []string{
				`Ready False InvalidSpec: a cluster stays as it was made, and this would change AzureManagedControlPlane c: spec.location from "a" to "b": ` +
					"put it back in the spec or the class, or make another WorkloadCluster",
				`Stalled True InvalidSpec: a cluster stays as it was made, and this would change AzureManagedControlPlane c: spec.location from "a" to "b": ` +
					"put it back in the spec or the class, or make another WorkloadCluster",
				"again after 1m0s",
			},
		},
		"which a report says": {
			spec: func(s *spec) { s.Adoption.Policy = "Report" },
			change: func(w *world) {
				w.state.Fixed = []capi.Change{{Object: "AzureManagedControlPlane c", Field: "spec.location", From: `"a"`, To: `"b"`}}
				w.state.Ours, w.machinePools = false, []capi.Pool{{Object: "mine", UID: "1"}, {Object: "of-a-nodepool", UID: "2", Nodepool: "x"}}
				w.pool("c-general").Spec.MachineType = "Standard_D2ds_v5"
				*w.nodepool("c-general") = *w.childOf(t, kindNodepool, w.pool("c-general"))
			},
			want: []string{
				`Ready False Differs: adoption.policy is Report, and nothing is written: it would be changed: ` +
					`AzureManagedControlPlane c: spec.location from "a" to "b", which nobody can change, Nodepool c-general: machineType; ` +
					"MachinePools that no entry of nodepools names are left alone: mine",
				"UpToDate False NotCreated: there is no Cluster c of this WorkloadCluster",
				`Adopted False Differs: it would be changed: AzureManagedControlPlane c: spec.location from "a" to "b", which nobody can change, ` +
					`Nodepool c-general: machineType; MachinePools that no entry of nodepools names are left alone: mine`,
				"again after 1m0s",
			},
		},
		"the pause of a claim ends": {
			change:  func(w *world) { w.claim.spec["reconcile"] = "Paused" },
			actions: []string{"Tell AddressClaim c map[reconcile:Active]"},
		},
		"a pool gets another name": {
			change: func(w *world) { w.object.Spec.Nodepools[1].Name = "other"; w.merge(t) },
			want: []string{
				"Create Nodepool c-other", "Ready False NodepoolsNotReady: 7 of 8 steps done; Nodepool c-other: it is not there yet",
				"Available False NoNodes: Nodepool c-other: it is not there yet", "UpToDate False NodepoolsChanging: Nodepool c-other: it is not there yet",
				"NodepoolsReady False Creating: Nodepool c-other: it is not there yet",
			},
		},
		"the pool of the new name is stuck": {
			change: func(w *world) {
				w.object.Spec.Nodepools[1].Name = "other"
				w.merge(t)
				np := w.pool("c-general").DeepCopy()
				np.Name, np.Status.Conditions = "c-other", saying("Ready False SKUNotAvailable no", "Stalled True SKUNotAvailable no")
				w.nodepools = append(w.nodepools, *w.childOf(t, kindNodepool, np))
			},
			actions: []string{"Remove Nodepool c-general"},
		},
		"Azure refuses a change of the control plane for good": {
			change: func(w *world) {
				w.state.ControlPlane.Problem, w.state.ControlPlane.Fatal = "ManagedCluster c: no such tier", true
			},
			want: []string{
				"Ready False ControlPlaneNotReady: 7 of 8 steps done; ManagedCluster c: no such tier",
				"ControlPlaneReady False Provisioning: ManagedCluster c: no such tier", "Stalled True ProvisioningFailed: ManagedCluster c: no such tier",
			},
		},
		"an upgrade begins": {
			change: func(w *world) {
				w.object.Spec.Version = "v1.34.2"
				w.merge(t)
				w.state.Changes = []capi.Change{{Object: "AzureASOManagedControlPlane c", Field: "spec.version", From: "v1.33.6", To: "v1.34.2"}}
			},
			want: []string{
				"Apply Cluster c", "Ready False ControlPlaneNotReady: 7 of 8 steps done; Cluster c: its control plane goes from v1.33.6 to v1.34.2",
				"UpToDate False ControlPlaneUpgrading: the control plane goes from v1.33.6 to v1.34.2, then the pools follow one by one",
				"ControlPlaneReady False Provisioning: Cluster c: its control plane goes from v1.33.6 to v1.34.2",
			},
		},
		"after a restore nothing is known of the network": {
			change: func(w *world) {
				config := w.config.object.(*fleetwrightv1.AzureClusterAdditionalConfig)
				config.Spec.RoleAssignments = []fleetwrightv1.AdditionalRoleAssignment{{
					Name: "network", Scope: "/subscriptions/x", Role: fleetwrightv1.AzureRole{ID: "4d97b98b-1d4f-4787-a291-c67834d212e7"},
					Principal: fleetwrightv1.AzurePrincipal{ClusterIdentity: "ControlPlane"},
				}}
				w.config = w.childOf(t, kindConfig, config)
			},
		},
		"after a restore nothing tells what runs": {
			change: func(w *world) {
				w.object.Spec.Version = "v1.34.2"
				w.merge(t)
				w.state.Made, w.state.Provisioned, w.state.ControlPlane.Done, w.hold = true, false, false, hold.Hold{Reason: "Frozen", Message: "Freeze x/y", NonDisruptive: true}
				for i := range w.nodepools { // the status of everything is lost
					np := w.nodepools[i].object.(*fleetwrightv1.Nodepool)
					np.Status = fleetwrightv1.NodepoolStatus{}
				}
			},
			want: []string{
				"Ready False ControlPlaneNotReady: 6 of 8 steps done; Cluster c: Azure is at work on the control plane",
				"Available Unknown NotReported: Nodepool c-general: it has said nothing yet",
				"UpToDate Unknown NotReported: the control plane does not tell which version it runs, so nothing is upgraded",
				"ControlPlaneReady False Provisioning: Cluster c: Azure is at work on the control plane",
				"NodepoolsReady Unknown NotReported: Nodepool c-general: " + forgotten,
				"Paused True Frozen: Freeze x/y; this object holds nothing back, and each Nodepool tells of itself",
			},
		},
		"after a restore Azure refuses something": {
			change: func(w *world) {
				w.object.Spec.Version = "v1.34.2"
				w.merge(t)
				w.state.Made, w.state.Provisioned, w.state.ControlPlane = true, false, capi.Stage{Exists: true, Fatal: true, Problem: "ManagedCluster c: AuthorizationFailed"}
				for i := range w.nodepools {
					np := w.nodepools[i].object.(*fleetwrightv1.Nodepool)
					np.Status = fleetwrightv1.NodepoolStatus{}
				}
			},
			actions: []string{},
		},
		"a version is raised while it is made": {
			change: func(w *world) {
				w.object.Spec.Version = "v1.34.2"
				w.merge(t)
				w.state.Provisioned, w.state.ControlPlane.Done = false, false
				for i := range w.nodepools {
					w.nodepools[i].object.(*fleetwrightv1.Nodepool).Status.Version = ""
				}
			},
			actions: []string{},
		},
		"a version that Azure does not have is changed while it is made": {
			change: func(w *world) {
				w.object.Spec.Version = "v1.33.5"
				w.merge(t)
				w.state.Provisioned, w.state.ControlPlane = false, capi.Stage{Exists: true, Fatal: true, Problem: "ManagedCluster c: K8sVersionNotSupported"}
				w.pool("c-general").Status.Version, w.pool("c-system").Status.Version = "", ""
			},
			actions: []string{"Apply Nodepool c-general", "Apply Nodepool c-system"},
		},
		"a window is closed": {
			change: func(w *world) {
				w.object.Spec.Version = "v1.34.2"
				w.window = maintenance.State{Next: noon.Add(time.Hour)}
				w.merge(t)
			},
			want: []string{
				"UpToDate False WaitingForWindow: the upgrade from v1.33.6 to v1.34.2 waits for a maintenance window: the next one opens 2026-11-26 13:00 UTC",
				"again after 1h0m0s",
			},
		},
		"an add-on that cannot be read": {
			spec: func(s *spec) { s.Addons = []fleetwrightv1.WorkloadClusterAddon{{Name: "a", Kind: "HelmRelease"}} },
			change: func(w *world) {
				w.addons = []addonSeen{{addon: w.object.Spec.Addons[0], unread: "forbidden"}}
				w.state.Labels["addons.fleetwright.io/a"] = "enabled"
			},
			want: []string{
				"Ready Unknown AddonsNotReady: 7 of 8 steps done; add-on a: forbidden", "AddonsReady Unknown NotReported: add-on a: forbidden", "again after 10s",
			},
		},
		"it is deleted": {
			change: func(w *world) { leaves(w.object) },
			want: []string{
				"Remove Cluster c", "Remove AzureClusterAdditionalConfig c",
				"Ready False DeletingCluster: being deleted: AzureClusterAdditionalConfig c, Cluster c, Nodepool c-general, Nodepool c-system",
				"UpToDate False DeletingCluster: being deleted: AzureClusterAdditionalConfig c, Cluster c, Nodepool c-general, Nodepool c-system",
				"Deleting True DeletingCluster: being deleted: AzureClusterAdditionalConfig c, Cluster c, Nodepool c-general, Nodepool c-system",
			},
		},
		"Helm takes its release out first": {
			change: func(w *world) {
				leaves(w.object)
				release := &unstructured.Unstructured{}
				release.SetKind("HelmReleaseProxy")
				release.SetName("a-1")
				w.addons = []addonSeen{{addon: fleetwrightv1.WorkloadClusterAddon{Name: "a", Kind: "HelmChartProxy"}, observed: addons.Observed{Served: true, PerCluster: release}}}
				w.state.Labels["addons.fleetwright.io/a"] = "enabled"
			},
			want: []string{
				"Unlabel Cluster c",
				"Ready False DeletingAddons: add-ons are taken out, which is waited for until 12:10:00 UTC: HelmReleaseProxy a-1",
				"UpToDate False DeletingAddons: add-ons are taken out, which is waited for until 12:10:00 UTC: HelmReleaseProxy a-1",
				"AddonsReady False Removing: add-ons go with the cluster",
				"Deleting True DeletingAddons: add-ons are taken out, which is waited for until 12:10:00 UTC: HelmReleaseProxy a-1", "again after 10s",
			},
		},
		"what is paused hears that it may go": {
			change: func(w *world) {
				leaves(w.object)
				w.state.Deleting = true
				for _, c := range w.children() {
					c.spec["reconcile"] = "Paused"
					if c.kind != kindClaim {
						leaves(c.object)
					}
				}
			},
			actions: []string{
				"Tell Nodepool c-general map[reconcile:Active]", "Tell Nodepool c-system map[reconcile:Active]",
				"Tell AzureClusterAdditionalConfig c map[reconcile:Active]", "Tell AddressClaim c map[reconcile:Active]",
			},
		},
		"nothing of others is let go of": {
			change: func(w *world) {
				leaves(w.object)
				w.object.Spec.DeletionPolicy = "Retain"
				w.state.Ours = false
				w.nodepools[0].ours, w.nodepools[0].maker = false, "other"
			},
			actions: []string{"Release AddressClaim c", "Release Nodepool c-system", "Release AzureClusterAdditionalConfig c"},
		},
		"nor deleted": {
			change: func(w *world) {
				leaves(w.object)
				w.nodepools[0].ours, w.nodepools[0].maker = false, "other"
				w.config.ours, w.config.maker = false, ""
				w.state.Deleting = true
			},
			actions: []string{"Remove Nodepool c-system"},
		},
		"what belongs to a Cluster that is not ours any more stays with it": {
			change: func(w *world) {
				leaves(w.object)
				w.state.Ours = false
			},
			actions: []string{"Release AddressClaim c", "Release Nodepool c-general", "Release Nodepool c-system", "Release AzureClusterAdditionalConfig c"},
		},
		"a copy of a pool that we did not make": {
			change: func(w *world) { w.copied(t) },
			want: []string{
				"Ready False NameTaken: Nodepool c-extra: it carries label fleetwright.io/workloadcluster and was not made of this WorkloadCluster: take the label off, or name it in the spec",
				"Stalled True NameTaken: Nodepool c-extra: it carries label fleetwright.io/workloadcluster and was not made of this WorkloadCluster: take the label off, or name it in the spec",
			},
		},
		"which hears of no pause, and of no end of one": {
			change: func(w *world) {
				w.copied(t)
				w.hold, w.paused = hold.Hold{Reason: "Paused", Message: "it says so"}, true
			},
			actions: []string{
				"Tell AddressClaim c map[reconcile:Paused]", "Tell Nodepool c-general map[reconcile:Paused]", "Tell Nodepool c-system map[reconcile:Paused]",
				"Tell AzureClusterAdditionalConfig c map[reconcile:Paused]",
				"held: Tell AddressClaim c", "held: Apply Nodepool c-general", "held: Apply Nodepool c-system", "held: Apply AzureClusterAdditionalConfig c",
			},
		},
		"one that was told before is a copy all the same": {
			change:  func(w *world) { w.copied(t).owned = map[string]any{"f:reconcile": map[string]any{}} },
			actions: []string{},
		},
		"it is let go of with the cluster, for it may be another's": {
			change:  func(w *world) { leaves(w.object); leaves(w.copied(t).object) },
			actions: []string{"Remove Cluster c", "Remove AzureClusterAdditionalConfig c", "Release Nodepool c-extra"},
		},
		"and before the finalizer goes": {
			change: func(w *world) {
				leaves(w.object)
				w.copied(t)
				w.nodepools, w.claim, w.config, w.state = w.nodepools[2:], nil, nil, capi.ClusterState{}
			},
			actions: []string{"Release Nodepool c-extra"},
		},
		"a pause ends while something is in the way": {
			change: func(w *world) {
				w.rival = "Cluster other/c"
				w.nodepools[0].spec["reconcile"] = "Paused"
			},
			actions: []string{"Tell Nodepool c-general map[reconcile:Active]"},
		},
		"a release of Helm that cannot be read is waited for": {
			change: func(w *world) {
				leaves(w.object)
				w.addons = []addonSeen{{addon: fleetwrightv1.WorkloadClusterAddon{Name: "a", Kind: "HelmChartProxy"}, unread: "forbidden"}}
				w.state.Labels["addons.fleetwright.io/a"] = "enabled"
			},
			actions: []string{"Unlabel Cluster c"},
		},
		"no other WorkloadCluster's is taken over": {
			spec: func(s *spec) { s.Adoption.Policy = "Adopt" },
			change: func(w *world) {
				w.nodepools[0].ours, w.nodepools[0].maker = false, "other"
				w.nodepools[1].ours, w.nodepools[1].maker = false, ""
			},
			actions: []string{"Apply Nodepool c-system"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var changes []func(*spec)
			if test.spec != nil {
				changes = append(changes, test.spec)
			}
			w := serving(t, changes...)
			if test.change != nil {
				test.change(&w)
			}
			in := intend(w, noon)
			p := decide(w, &in, noon)
			got := tells(w, &p)
			want := test.want
			if test.actions != nil {
				want, got = test.actions, got[:min(len(got), len(p.actions)+len(p.held))]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
