package workloadcluster

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/blang/semver/v4"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/upgrade"
)

// intention is what everything is to be like now. It says nothing about whether it may be written.
type intention struct {
	// addons are in the order of the spec; addonLabels are those of the Cluster.
	addons      []addons.State
	addonLabels map[string]string
	versions    upgrade.Plan
	// claim is the one that is to be made, config the additional config; nil for none.
	claim, config *wanted
	// bound are the ranges that the cluster has got; waits is true while it asks for some and has none.
	bound []fleetwrightv1.BoundRange
	waits bool
	// carved are ranges that a cluster would ask for which is there and has others; only a report tells of them.
	carved    []string
	wish      capi.Wish
	nodepools []wanted
	// broken says why it cannot be told what is to be, or is empty. What comes after it is then missing.
	broken string
}

// intend says what everything is to be like, once it is known what class and spec amount to.
func intend(w world, now time.Time) intention {
	var in intention
	if w.unmerged != "" || len(w.problems) > 0 {
		return in
	}
	if in.addons, in.addonLabels = addonStates(w); w.deleting() {
		return in // nothing is to be any more
	}
	in.versions = upgrade.Next(upgradeWorld(w), now)
	if err := in.claims(w); err != nil {
		in.broken = err.Error()
		return in
	}
	if in.waits {
		return in // everything else is made of the ranges
	}
	if err := in.render(w); err != nil {
		in.broken = err.Error()
	}
	return in
}

// claims tells of the ranges. A claim is made once, for a cluster keeps its ranges: one that is there is not looked at again.
func (in *intention) claims(w world) error {
	if w.claim != nil && w.claim.ours {
		in.bound = boundOf(w.claim)
		in.waits = len(in.bound) == 0
		return nil
	}
	input := w.input()
	input.Adopted = w.state.Found && w.adopts() != ""
	spec, err := render.Claim(input)
	if err != nil || spec == nil {
		return err
	}
	claim, err := want(kindClaim, w.name(), spec)
	if err != nil {
		return err
	}
	in.claim, in.waits = &claim, true
	reports := w.adopts() == fleetwrightv1.AdoptionPolicyReport
	switch {
	case w.claim != nil && (takesOver(w, w.claim) || reports && w.claim.maker == ""):
		in.bound = boundOf(w.claim)
		in.waits = len(in.bound) == 0 && !reports
	case reports:
		// Nothing is claimed, and what would change can be told all the same where the spec names the ranges.
		in.waits = false
		for _, r := range spec.Ranges {
			if r.CIDR == "" {
				in.carved = append(in.carved, r.Name)
				continue
			}
			in.bound = append(in.bound, fleetwrightv1.BoundRange{Name: r.Name, CIDR: r.CIDR})
		}
	}
	return nil
}

// input is what all objects are made from.
func (w world) input() render.Input {
	return render.Input{
		Namespace: w.object.Namespace, Name: w.name(), Labels: w.object.Labels, Effective: w.effective, Names: w.state.Names,
		Reconcile: toldMode(w), NetworkID: w.networkID(), Subnets: w.subnets(),
	}
}

// subnets are those of a cluster that is there. What CAPZ's objects of one that is not there have may still change.
func (w world) subnets() []string {
	if !w.state.Found {
		return nil
	}
	return w.state.Subnets
}

// networkID is that of the cluster's own network. While it cannot be told, as just after a restore, it is the one on which the cluster's identity
// has its role: the role would be taken away, and with it the load balancers.
func (w world) networkID() string {
	if w.state.NetworkID != "" || w.outline().VNet == "" || w.config == nil || !w.config.ours && !takesOver(w, w.config) {
		return w.state.NetworkID
	}
	for _, assignment := range w.config.object.(*fleetwrightv1.AzureClusterAdditionalConfig).Spec.RoleAssignments {
		if assignment.Name == render.NetworkAssignment {
			return assignment.Scope
		}
	}
	return ""
}

// render fills in the objects that are made once the ranges are bound.
func (in *intention) render(w world) (err error) {
	input := w.input()
	input.AddonLabels, input.Bound, input.Version = in.addonLabels, in.bound, in.versions.ControlPlane
	if in.wish, err = render.Cluster(input); err != nil {
		return err
	}
	for _, pool := range w.effective.Spec.Nodepools {
		one, err := want(kindNodepool, render.NodepoolName(w.name(), pool.Name), render.Nodepool(input, pool, in.versions.Pools[pool.Name]))
		if err != nil {
			return err
		}
		one.pool = pool.Name
		in.nodepools = append(in.nodepools, one)
	}
	if spec := render.Config(input); spec != nil {
		config, err := want(kindConfig, w.name(), spec)
		if err != nil {
			return err
		}
		in.config = &config
	}
	return nil
}

// wants is true for an object that is to be.
func (in *intention) wants(t target) bool {
	for i := range in.nodepools {
		if in.nodepools[i].target == t {
			return true
		}
	}
	return in.config != nil && in.config.target == t
}

// boundOf are the ranges of a claim that is bound.
func boundOf(claim *child) []fleetwrightv1.BoundRange {
	if claim == nil || !claim.is(fleetwrightv1.ConditionReady) {
		return nil
	}
	return claim.object.(*fleetwrightv1.AddressClaim).Status.Ranges
}

// toldMode is what children are told of spec.reconcile. A pause of the WorkloadCluster reaches them by it; whoever else asks for one speaks to
// them himself.
func toldMode(w world) fleetwrightv1.ReconcileMode {
	if w.paused {
		return fleetwrightv1.ReconcileModePaused
	}
	return cmp.Or(w.object.Spec.Reconcile, fleetwrightv1.ReconcileModeActive)
}

// told are the fields of which every child hears. A child that is protected could not be removed with its entry: Protect is about the
// WorkloadCluster.
func told(w world) map[string]any {
	return map[string]any{fieldReconcile: string(toldMode(w)), fieldDeletionPolicy: string(fleetwrightv1.DeletionPolicyDelete)}
}

// addonStates are how all add-ons are, and the labels by which their installers find the Cluster.
func addonStates(w world) (states []addons.State, labels map[string]string) {
	all, byName := make([]fleetwrightv1.WorkloadClusterAddon, 0, len(w.addons)), map[string]addons.State{}
	for _, seen := range w.addons {
		all = append(all, seen.addon)
		state := addons.StateOf(seen.addon, seen.observed)
		if seen.unread != "" {
			state.Ready, state.Reason, state.Message = metav1.ConditionUnknown, fleetwrightv1.ReasonNotReported, seen.unread
		}
		byName[seen.addon.Name] = state
	}
	labels, waiting := addons.Labels(all, byName, w.state.Labels)
	for _, a := range all {
		state := byName[a.Name]
		if after, waits := waiting[a.Name]; waits {
			state.Ready, state.Reason, state.Message = metav1.ConditionFalse, fleetwrightv1.ReasonWaitingForAddon, "it comes after "+after
		}
		states = append(states, state)
	}
	return states, labels
}

// upgradeWorld is what the versions depend on.
func upgradeWorld(w world) upgrade.World {
	out := upgrade.World{
		Wanted: withV(w.effective.Spec.Version), Written: w.state.WantedVersion, Busy: w.state.Operation != "",
		Made: w.state.Made, Refused: w.state.ControlPlane.Fatal, Window: w.window.Open, NextWindow: w.window.Next,
	}
	if w.state.Provisioned {
		out.Reported = w.state.Version // before, it is the one that it is being made with
	}
	if w.hold.Disruption() {
		out.Held = w.hold.Message
	}
	for _, pool := range w.effective.Spec.Nodepools {
		out.Pools = append(out.Pools, upgradePool(w, pool))
	}
	for _, a := range w.effective.Spec.Addons {
		out.Addons = append(out.Addons, upgrade.Addon{Name: a.Name, Versions: a.KubernetesVersions})
	}
	return out
}

func upgradePool(w world, pool fleetwrightv1.WorkloadClusterNodepool) upgrade.Pool {
	out := upgrade.Pool{Name: pool.Name, System: pool.Spec.Mode == fleetwrightv1.NodepoolModeSystem, Pinned: withV(pool.Spec.Version)}
	found := w.nodepool(render.NodepoolName(w.name(), pool.Name))
	if found == nil {
		out.Written = oldest(w.machinePools, pool.MachinePools)
		return out
	}
	np := found.object.(*fleetwrightv1.Nodepool)
	// One that names no version follows the control plane.
	out.Written = cmp.Or(withV(np.Spec.Version), w.state.WantedVersion)
	out.Kubelet = withV(np.Status.Version)
	out.Settled = found.is(fleetwrightv1.ConditionReady) && found.is(fleetwrightv1.ConditionUpToDate)
	// One that is to begin only when somebody says so (InPlaceOnly) is waited for as little as one with a pod that does not go.
	upToDate := found.condition(fleetwrightv1.ConditionUpToDate)
	out.Blocked = found.is(fleetwrightv1.ConditionDrainBlocked) || upToDate != nil && upToDate.Reason == fleetwrightv1.ReasonStrategyForbids
	for _, kind := range []string{fleetwrightv1.ConditionDrainBlocked, fleetwrightv1.ConditionRollingOut, fleetwrightv1.ConditionReady} {
		if c := found.condition(kind); c != nil && c.Message != "" && (kind == fleetwrightv1.ConditionReady || c.Status == metav1.ConditionTrue) {
			out.Words = c.Message
			break
		}
	}
	return out
}

// oldest is the lowest version of MachinePools that a Nodepool is to take over, empty when none of them tells one.
func oldest(all []capi.Pool, names []string) string {
	var lowest semver.Version
	text := ""
	for i := range all {
		version, err := semver.ParseTolerant(all[i].Spec.Version)
		if slices.Contains(names, all[i].Object) && err == nil && (text == "" || version.LT(lowest)) {
			lowest, text = version, withV(all[i].Spec.Version)
		}
	}
	return text
}

// withV puts the v before a version that has none.
func withV(version string) string {
	if version == "" || strings.HasPrefix(version, "v") {
		return version
	}
	return "v" + version
}
