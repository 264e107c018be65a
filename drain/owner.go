package drain

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// OwnerName returns the controller under the name its user knows, "Deployment/cart" or "StatefulSet/db", and "" for
// a pod without controller. A ReplicaSet is named after its Deployment when the pod's label pod-template-hash is the
// end of the ReplicaSet's name, which is how Deployments name them; no lookup is needed.
func OwnerName(p Pod) string {
	c := p.Controller
	if c.Name == "" {
		return ""
	}
	hash := p.Labels["pod-template-hash"]
	if c.Kind == "ReplicaSet" && c.Group == "apps" && hash != "" {
		if deployment, ok := strings.CutSuffix(c.Name, "-"+hash); ok && deployment != "" {
			return "Deployment/" + deployment
		}
	}
	return c.Kind + "/" + c.Name
}

// crew is the state of all pods of one controller, wherever they run.
type crew struct {
	ready int
	// active counts the pods that are neither finished nor terminating.
	active int
	// leaving counts terminating pods whose deadline has not passed.
	leaving int
	// homeless counts the active pods that no node has taken.
	homeless int
	// youngest is when the latest pod that is not yet ready was created; zero if there is none.
	youngest time.Time
	// latest is when a pod was last created or asked to end, as far as the pods that are there tell.
	latest  time.Time
	desired int
	known   bool
}

func crews(s Snapshot, now time.Time) map[types.UID]crew {
	all := map[types.UID]crew{}
	for _, p := range s.Pods {
		if p.Controller.UID == "" || p.Finished() {
			continue
		}
		c := all[p.Controller.UID]
		c.latest = later(c.latest, p.Created)
		switch {
		case p.Terminating():
			c.latest = later(c.latest, p.Deadline.Add(-p.Grace))
			if now.Before(p.Deadline) {
				c.leaving++
			}
		case p.Ready:
			c.active++
			c.ready++
		default:
			c.active++
			if p.Node == "" {
				c.homeless++
			}
			if p.Created.After(c.youngest) {
				c.youngest = p.Created
			}
		}
		all[p.Controller.UID] = c
	}
	for _, o := range s.Owners {
		if c, ok := all[o.UID]; ok {
			c.desired, c.known = int(o.Desired), true
			all[o.UID] = c
		}
	}
	return all
}

// complete says that a ready pod of the controller may go: every earlier replacement is Ready, or was not Ready for
// longer than the timeout, which never takes the last ready pod while others find no node. Of a controller whose size is
// unknown, only pods that are still leaving or starting show that a replacement is due.
func (c crew) complete(now time.Time, timeout time.Duration) bool {
	starting := !c.youngest.IsZero() && now.Sub(c.youngest) < timeout
	switch {
	case c.known && c.ready >= c.desired:
		return true
	case starting || c.last():
		return false
	case c.known:
		return c.active >= c.desired
	}
	return c.leaving == 0
}

// last says that one pod serves while others of its controller find no node: neither would its replacement.
func (c crew) last() bool { return c.ready == 1 && c.homeless > 0 }

// why is the reason to let a ready pod of a complete crew go.
func (c crew) why(owner string, timeout time.Duration) string {
	if c.ready < c.active && !(c.known && c.ready >= c.desired) {
		return fmt.Sprintf("no budget covers it, and %d of %d pods of %s are not ready in spite of %s", c.active-c.ready, c.active, owner, timeout)
	}
	return "no budget covers it and every replacement of " + owner + " is ready"
}

func (c crew) sentence(owner string) string {
	switch {
	case c.last():
		return fmt.Sprintf("%s has %d of %d pods ready, and %d find no node: the last one that serves stays", owner, c.ready, max(c.desired, c.active), c.homeless)
	case !c.known:
		return fmt.Sprintf("%s is still replacing a pod that was evicted before", owner)
	case c.active < c.desired:
		return fmt.Sprintf("%s has %d of %d pods, the replacement of an earlier one was not created", owner, c.active, c.desired)
	default:
		return fmt.Sprintf("%s has %d of %d pods ready, the replacement of an earlier one is starting", owner, c.ready, c.desired)
	}
}
