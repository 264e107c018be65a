package ladder

import (
	"fmt"
	"time"

	"github.com/fleetwright/fleetwright/drain"
)

// restart restarts a Deployment of one pod, once per drain. Old nodes are cordoned, so that the new pod starts elsewhere,
// and it is ready before the old one ends.
func (t *turn) restart(d Deployment) {
	if d.Replicas != 1 || t.restartedForThis(d) {
		return
	}
	doesNot := "does not restart " + d.String()
	if why := t.cannotRestart(d); why != "" {
		t.skip(d.Object, doesNot, why)
		return
	}
	if d.RollingOut {
		t.skip(d.Object, doesNot, "it is being rolled out already")
		return
	}
	t.helped[d.UID] = true
	t.add(Step{
		Action: ActionRestart, Object: d.Object,
		Does:  "restarts " + d.String() + ", which has one pod, so that the new one starts on another node first",
		Patch: restartPatch(d, t.policy.Started, t.now),
	})
}

// cannotRestart says why a rolling restart is not possible or would end the old pod before the new one is ready.
func (t *turn) cannotRestart(d Deployment) string {
	switch {
	case t.policy.Started.IsZero():
		return "it is not known when the drain began, so that it could be restarted again and again"
	case d.Owner != "":
		return belongs(d)
	case d.Paused:
		return "its rollout is paused"
	case d.Recreate:
		return "its strategy Recreate ends the old pod before the new one starts"
	case d.Surge < 1 || d.Unavailable > 0:
		return fmt.Sprintf("its rolling update may end the old pod before the new one is ready: maxSurge is %d and maxUnavailable %d",
			d.Surge, d.Unavailable)
	}
	return ""
}

func (t *turn) restartedForThis(d Deployment) bool { return restartedBy(d, t.policy.Started) }

// restartedBy says that the drain that began then has restarted the Deployment, even if somebody has taken that back since.
func restartedBy(d Deployment, started time.Time) bool {
	return !started.IsZero() && (d.Restarted == restartedFor(started) || d.RestartedFor.Equal(started.Truncate(time.Second)))
}

// restartHelps says that a Deployment of one pod is, or will be, helped by a restart rather than by a second pod.
func (t *turn) restartHelps(d Deployment) bool {
	if _, ok := rung(t.policy, drain.RungRestartSingleton); !ok || d.Replicas != 1 {
		return false
	}
	if t.restartedForThis(d) {
		return d.RollingOut // a restart that is over and left the pod in the way has not helped
	}
	return t.cannotRestart(d) == ""
}
