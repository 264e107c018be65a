package workloadcluster

import (
	"cmp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/waterfall"
)

// step is one step on the way to a cluster that is ready, as it is now.
type step struct {
	name fleetwrightv1.WorkloadClusterStepName
	// declared is false when the spec asks for nothing there; such a step is done.
	declared, done bool
	status         metav1.ConditionStatus
	reason         string
	// message begins with the object that it is about.
	message string
	// stuck is the reason for which nothing goes on until a person acts, or empty.
	stuck string
	// started and finished are the objects' own times.
	started, finished time.Time
}

// condition is the step's condition type, notReady the reason of condition Ready.
func (s *step) condition() string { return string(s.name) + "Ready" }
func (s *step) notReady() string  { return string(s.name) + "NotReady" }

func (s *step) seen() waterfall.Seen {
	out := waterfall.Seen{Name: s.name, Declared: s.declared, Done: s.done, Started: s.started, Finished: s.finished}
	if !s.done {
		out.Message = s.message
	}
	return out
}

// is, ready and notDeclared say how a step is.
func (s *step) is(status metav1.ConditionStatus, reason, message string) {
	s.declared, s.status, s.reason, s.message = true, status, reason, message
	s.done = status == metav1.ConditionTrue
}

func (s *step) ready(message string) {
	s.is(metav1.ConditionTrue, fleetwrightv1.ReasonReady, message)
}

func (s *step) no(reason, message string) { s.is(metav1.ConditionFalse, reason, message) }

func (s *step) notDeclared() {
	s.declared, s.done, s.status, s.reason, s.message = false, true, metav1.ConditionTrue, fleetwrightv1.ReasonNotDeclared, "the spec asks for nothing"
}

// see fills in how everything is.
func (p *plan) see(w world, in *intention) {
	p.pools, p.addons = poolsSaid(w, in, p), in.addons
	p.steps = []step{
		addressesStep(w, in), infrastructureStep(w, in), controlPlaneStep(w, in, p), nodepoolsStep(w, in, p),
		configStep(fleetwrightv1.WorkloadClusterStepRoleAssignments, w, in, p),
		configStep(fleetwrightv1.WorkloadClusterStepAutoscaler, w, in, p),
		configStep(fleetwrightv1.WorkloadClusterStepAzureSettings, w, in, p),
		addonsStep(w, in, p),
	}
	if in.versions.Stuck {
		p.stuckVersion = in.versions.Reason
	}
	p.upToDate, p.available = upToDateCondition(w, in, p), availableCondition(w, p)
	if w.adopts() != "" {
		c := adopted(w, in)
		p.adopted = &c
	}
}

// said is what a child says of its present spec, in condition Ready or another.
func (c *child) said(kind string) (status metav1.ConditionStatus, reason, message string) {
	found := c.condition(kind)
	if found == nil {
		return metav1.ConditionUnknown, fleetwrightv1.ReasonNotReported, c.target.String() + ": it has said nothing about its present spec yet"
	}
	return found.Status, found.Reason, c.target.String() + ": " + cmp.Or(found.Message, found.Reason)
}

// since is when a condition of the child became what it is.
func (c *child) since(kind string) time.Time {
	if found := meta.FindStatusCondition(c.object.GetConditions(), kind); found != nil {
		return found.LastTransitionTime.Time
	}
	return time.Time{}
}

func nameTaken(t target) string {
	return t.String() + ": an object of this name exists and is not this WorkloadCluster's: delete it, or set adoption.policy to Adopt to take it over"
}

// foreignTo is true for an object that somebody else has under a name that is needed.
func foreignTo(w world, c *child) bool { return !c.ours && !takesOver(w, c) }

func addressesStep(w world, in *intention) step {
	s := step{name: fleetwrightv1.WorkloadClusterStepAddresses}
	claim := w.claim
	switch {
	case in.claim == nil && (claim == nil || !claim.ours):
		s.notDeclared()
	case claim == nil:
		s.no(fleetwrightv1.ReasonCreating, in.claim.target.String()+": it is not there yet")
	case foreignTo(w, claim):
		s.no(fleetwrightv1.ReasonNameTaken, nameTaken(claim.target))
		s.stuck = fleetwrightv1.ReasonNameTaken
	default:
		s.is(claim.said(fleetwrightv1.ConditionReady))
		if s.stuck = claim.stalled(); s.stuck == fleetwrightv1.ReasonExhausted {
			s.stuck = fleetwrightv1.ReasonAddressesExhausted
		}
		s.started, s.finished = claim.created(), claim.since(fleetwrightv1.ConditionReady)
	}
	return s
}

// before is why a step of the Cluster has not begun.
func (s *step) before(w world, in *intention) {
	if w.deleting() {
		s.no(fleetwrightv1.ReasonRemoving, "Cluster "+w.name()+": it is not there")
		return
	}
	if in.waits {
		s.no(fleetwrightv1.ReasonWaitingForAddresses, "Cluster "+w.name()+": it is made when its ranges of addresses are bound")
		return
	}
	s.no(fleetwrightv1.ReasonCreating, "Cluster "+w.name()+": it is not there yet")
}

func infrastructureStep(w world, in *intention) step {
	s := step{name: fleetwrightv1.WorkloadClusterStepInfrastructure}
	s.of(w, in, w.state.Infrastructure, "the resource group and the network")
	return s
}

// of tells of a part that Azure makes.
func (s *step) of(w world, in *intention, part capi.Stage, what string) {
	s.started, s.finished = part.Started, part.Finished
	switch {
	case !part.Exists:
		s.before(w, in)
	case part.Done && !part.Fatal:
		s.ready("Azure has " + what)
	case part.Problem != "":
		s.no(fleetwrightv1.ReasonProvisioning, part.Problem)
		if part.Fatal {
			s.stuck = fleetwrightv1.ReasonProvisioningFailed
		}
	default:
		s.no(fleetwrightv1.ReasonProvisioning, "Cluster "+w.name()+": Azure is at work on "+what)
	}
}

func controlPlaneStep(w world, in *intention, p *plan) step {
	s := step{name: fleetwrightv1.WorkloadClusterStepControlPlane}
	s.of(w, in, w.state.ControlPlane, "the control plane")
	begins := p.does(target{kindCluster, w.name()}, apply) && in.wish.Version != w.state.WantedVersion
	switch {
	case !s.done:
	case begins:
		s.no(fleetwrightv1.ReasonProvisioning, "Cluster "+w.name()+": its control plane goes from "+w.state.Version+" to "+in.wish.Version)
	case !w.state.Reachable:
		s.no(fleetwrightv1.ReasonNotReachable, "Cluster "+w.name()+": its API server does not answer Cluster API")
	default:
		s.ready("Cluster " + w.name() + ": its API server answers, in version " + w.state.Version)
		if w.state.ReachableSince.After(s.finished) {
			s.finished = w.state.ReachableSince
		}
	}
	return s
}

func nodepoolsStep(w world, in *intention, p *plan) step {
	s := step{name: fleetwrightv1.WorkloadClusterStepNodepools}
	if len(p.pools) == 0 {
		s.before(w, in)
		return s
	}
	s.ready("all Nodepools are ready")
	for i := range p.pools {
		pool := &p.pools[i]
		if pool.removing {
			continue
		}
		if pool.child != nil {
			s.span(pool.child, fleetwrightv1.ConditionReady)
		}
		if s.done && pool.Ready != metav1.ConditionTrue {
			s.is(pool.Ready, pool.Reason, pool.message)
		}
		if s.stuck == "" && pool.stuck != "" {
			s.stuck = pool.stuck
			if s.message != pool.message {
				s.is(pool.Ready, pool.Reason, pool.message)
			}
		}
	}
	return s
}

// span widens the step's times by those of one of its objects.
func (s *step) span(c *child, kind string) {
	if at := c.created(); s.started.IsZero() || at.Before(s.started) {
		s.started = at
	}
	if at := c.since(kind); at.After(s.finished) {
		s.finished = at
	}
}

// configConditions are the conditions of the additional config that a step is about.
func configConditions(name fleetwrightv1.WorkloadClusterStepName, conditions []metav1.Condition) []string {
	known := map[string]fleetwrightv1.WorkloadClusterStepName{
		"RegistriesReady": fleetwrightv1.WorkloadClusterStepRoleAssignments, "RoleAssignmentsReady": fleetwrightv1.WorkloadClusterStepRoleAssignments,
		"AutoscalerReady": fleetwrightv1.WorkloadClusterStepAutoscaler,
	}
	var out []string
	for _, c := range conditions {
		owner, is := known[c.Type]
		if !is {
			owner = fleetwrightv1.WorkloadClusterStepAzureSettings
		}
		if owner == name && c.Type != fleetwrightv1.ConditionReady && strings.HasSuffix(c.Type, "Ready") {
			out = append(out, c.Type)
		}
	}
	return out
}

// sections are the fields of the config's spec that are not its settings.
var sections = map[string]fleetwrightv1.WorkloadClusterStepName{
	"clusterName": "", "driftPolicy": "", fieldReconcile: "", fieldDeletionPolicy: "",
	"registries": fleetwrightv1.WorkloadClusterStepRoleAssignments, "roleAssignments": fleetwrightv1.WorkloadClusterStepRoleAssignments,
	"autoscaler": fleetwrightv1.WorkloadClusterStepAutoscaler,
}

// declares is true when a config has a section that a step is about.
func declares(spec map[string]any, name fleetwrightv1.WorkloadClusterStepName) bool {
	for field := range spec {
		owner, known := sections[field]
		if !known {
			owner = fleetwrightv1.WorkloadClusterStepAzureSettings
		}
		if owner == name {
			return true
		}
	}
	return false
}

// configSpec is the spec of the additional config that the steps are about: the one that is to be; else, when that cannot be told or it is leaving,
// the one that is there; else what will be when there are addresses.
func configSpec(w world, in *intention) map[string]any {
	switch {
	case in.config != nil:
		return in.config.spec
	case w.config != nil && w.config.ours:
		return w.config.spec
	case in.waits || in.broken != "":
		if asked := render.Config(w.input()); asked != nil {
			if fields, err := plain(asked); err == nil {
				return fields
			}
		}
	}
	return nil
}

func configStep(name fleetwrightv1.WorkloadClusterStepName, w world, in *intention, p *plan) step {
	s, config := step{name: name}, w.config
	if !declares(configSpec(w, in), name) {
		s.notDeclared()
		return s
	}
	if config == nil {
		s.before(w, in)
		return s
	}
	s.started = config.created()
	kinds := configConditions(name, config.object.GetConditions())
	switch {
	case foreignTo(w, config):
		s.no(fleetwrightv1.ReasonNameTaken, nameTaken(config.target))
		s.stuck = fleetwrightv1.ReasonNameTaken
	case p.pending(config.target) || len(kinds) == 0:
		s.is(metav1.ConditionUnknown, fleetwrightv1.ReasonNotReported, config.target.String()+": it has said nothing about its present spec yet")
	default:
		s.ofConfig(config, kinds)
	}
	return s
}

// ofConfig tells what an additional config says in some of its conditions.
func (s *step) ofConfig(config *child, kinds []string) {
	s.ready(config.target.String() + ": all is ready")
	stalled := config.condition(fleetwrightv1.ConditionStalled)
	for _, kind := range kinds {
		s.span(config, kind)
		status, reason, message := config.said(kind)
		if !s.done || status == metav1.ConditionTrue {
			continue
		}
		s.is(status, reason, message)
		// It is stuck for one of its sections, and quotes that.
		if stalled != nil && stalled.Status == metav1.ConditionTrue && strings.HasSuffix(message, stalled.Message) {
			s.stuck = stalled.Reason
		}
	}
}

func addonsStep(w world, in *intention, p *plan) step {
	s := step{name: fleetwrightv1.WorkloadClusterStepAddons}
	if len(w.addons) == 0 {
		s.notDeclared()
		return s
	}
	s.started = w.state.Created
	switch {
	case p.takesAway():
		s.no(fleetwrightv1.ReasonRemoving, "add-ons go with the cluster")
		return s
	case len(in.addons) == 0 && w.state.Found:
		s.is(metav1.ConditionUnknown, fleetwrightv1.ReasonNotReported, "add-ons are looked at again when the spec is right")
		return s
	case len(in.addons) == 0:
		s.before(w, in)
		return s
	}
	s.ready("all add-ons are healthy")
	tells := true
	for i := range in.addons {
		a := &in.addons[i]
		if tells = tells && !a.Since.IsZero(); !tells {
			s.finished = time.Time{} // the last one may be one that does not tell
		} else if a.Since.After(s.finished) {
			s.finished = a.Since
		}
		if s.done && a.Ready != metav1.ConditionTrue {
			s.is(a.Ready, a.Reason, sentence(a))
		}
	}
	return s
}

// takesAway is true while the cluster goes. One that is protected, held or let go of is told of as it is.
func (p *plan) takesAway() bool {
	switch p.leaving {
	case fleetwrightv1.ReasonDeletingAddons, fleetwrightv1.ReasonDeletingCluster, fleetwrightv1.ReasonReleasingAddresses:
		return true
	}
	return false
}

func sentence(a *addons.State) string {
	if a.Message == "" {
		return "add-on " + a.Name
	}
	return "add-on " + a.Name + ": " + a.Message
}
