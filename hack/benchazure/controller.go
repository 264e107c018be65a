package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/hack/benchazure/fakearm"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
)

// reconcile is what each controller does about a thing: one GET, the decision, at most one PUT. For an assignment the identity of the cluster
// and the id of the role are read first, which the client keeps, and the activity log is asked who has deleted one, from the second drift
// in a row on, and else while that is cheap. A profile is read once more before it is written, because AKS takes whole clusters, and once
// when AKS is done.
func (o *operator) reconcile(ctx context.Context, i int) (again time.Duration, err error) {
	t := o.azure.Things[i]
	key := types.NamespacedName{Namespace: "fleet", Name: fmt.Sprint(i)}
	ctx = broker.For(ctx, broker.Call{Cluster: fmt.Sprint("fleet/", t.Cluster)})
	o.mu.Lock()
	azure, memory := o.client, o.memory
	o.mu.Unlock()
	found, err := o.get(ctx, azure, t)
	if err != nil {
		return 0, err
	}
	looked := time.Now()
	look := drift.Look{Fields: drift.Compare(fields(t), found), Applied: true}
	if len(look.Fields) == 0 {
		memory.AsDeclared(key, 1, looked)
		o.sweeper.Looked(t.ID, looked, sweep.AsDeclared)
		o.count(i)
		return 0, nil
	}
	history := memory.Drifted(key, 1, look, looked)
	if !t.Profile && (drift.Fought(history, looked) || o.isCheap(looked)) {
		if _, err := azure.Changes(ctx, t.ID, looked.Add(-windowEvery)); err != nil {
			return 0, err
		}
	}
	if drift.Decide(fleetwrightv1.DriftPolicyHeal, look, history, looked).Action != drift.Heal {
		o.mu.Lock()
		o.stopped++
		o.mu.Unlock()
		o.sweeper.Looked(t.ID, looked, sweep.Standing)
		return 0, nil
	}
	if err := put(ctx, azure, t); err != nil {
		return 0, err
	}
	memory.Healed(key, 1, time.Now())
	o.sweeper.Looked(t.ID, time.Now(), sweep.Healed)
	if !t.Profile {
		return 0, nil
	}
	o.mu.Lock()
	o.expected[i] = true
	o.mu.Unlock()
	return settle, nil
}

// isCheap tells whether a name may be asked for that decides nothing.
func (o *operator) isCheap(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.named) > 0 && now.Sub(o.named[0]) >= time.Hour {
		o.named = o.named[1:]
	}
	if len(o.named) >= namesPerHour {
		return false
	}
	o.named = append(o.named, now)
	return true
}

// count tells a look that found nothing, although a sweep has asked for it, from one that was due.
func (o *operator) count(i int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.expected[i] {
		o.needless++
	}
	delete(o.expected, i)
}

func (o *operator) get(ctx context.Context, azure *arm.Client, t *fakearm.Thing) (map[string]any, error) {
	if t.Profile {
		profile, err := azure.AutoscalerProfile(ctx, t.ID)
		found := map[string]any{}
		for name, value := range profile.Values {
			found[name] = value
		}
		return found, err
	}
	cluster := o.azure.Things[t.Cluster*fakearm.ThingsPerCluster].ID
	if _, err := azure.IdentitiesOf(context.WithValue(ctx, identitiesOnly{}, true), cluster, time.Time{}); err != nil {
		return nil, err
	}
	if _, err := azure.RoleNamed(ctx, t.Scope, roleName); err != nil {
		return nil, err
	}
	a, err := azure.Assignment(ctx, t.ID)
	if refusal.Is(err, refusal.Gone) {
		return nil, nil
	}
	return map[string]any{sweep.FieldScope: a.Scope, sweep.FieldRole: a.RoleID, sweep.FieldPrincipal: a.PrincipalID}, err
}

func put(ctx context.Context, azure *arm.Client, t *fakearm.Thing) error {
	if t.Profile {
		_, err := azure.WriteAutoscalerProfile(ctx, t.ID, autoscalerprofile.Values{"expander": fakearm.Good}, nil)
		return err
	}
	_, err := azure.Assign(ctx, roles.Assignment{ID: t.ID, Scope: t.Scope, RoleID: t.Role, PrincipalID: t.Principal})
	return err
}
