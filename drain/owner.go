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
	// youngest is when the latest pod that is not yet ready was created; zero if there is none.
	youngest time.Time
	desired  int
	known    bool
}

func crews(s Snapshot, now time.Time) map[types.UID]crew {
	all := map[types.UID]crew{}
	for _, p := range s.Pods {
		if p.Controller.UID == "" || p.Finished() {
			continue
		}
		c := all[p.Controller.UID]
		switch {
		case p.Terminating():
			if now.Before(p.Deadline) {
				c.leaving++
			}
		case p.Ready:
			c.active++
			c.ready++
		default:
			c.active++
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
// longer than the timeout. Of a controller whose size is unknown, only pods that are still leaving or starting show
// that a replacement is due.
func (c crew) complete(now time.Time, timeout time.Duration) bool {
	starting := !c.youngest.IsZero() && now.Sub(c.youngest) < timeout
	if !c.known {
		return !starting && c.leaving == 0
	}
	if c.ready >= c.desired {
		return true
	}
	return c.active >= c.desired && !starting
}

func (c crew) sentence(owner string) string {
	switch {
	case !c.known:
		return fmt.Sprintf("%s is still replacing a pod that was evicted before", owner)
	case c.active < c.desired:
		return fmt.Sprintf("%s has %d of %d pods, the replacement of an earlier one was not created", owner, c.active, c.desired)
	default:
		return fmt.Sprintf("%s has %d of %d pods ready, the replacement of an earlier one is starting", owner, c.ready, c.desired)
	}
}
