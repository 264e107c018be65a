package kubelet

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A kubelet's words for an image that is not there.
const (
	reasonErrImagePull     = "ErrImagePull"
	reasonImagePullBackOff = "ImagePullBackOff"
	reasonFailed           = "Failed" // of the event
)

const (
	defaultFirstPull   = time.Second
	defaultLongestPull = 10 * time.Second
)

// pulls remember what was pulled for each pod and what failed, in memory as a kubelet does. No node keeps images: each pod pulls its own, as with
// imagePullPolicy Always.
type pulls struct {
	pause Range

	mu    sync.Mutex
	byPod map[types.UID]map[string]attempt
}

// attempt is the last pull of an image for a pod. The zero attempt is none.
type attempt struct {
	pulled   bool
	failures int
	problem  string
	at, next time.Time
}

func newPulls(pause Range) *pulls {
	if pause == (Range{}) {
		pause = Range{defaultFirstPull, defaultLongestPull}
	}
	return &pulls{pause: pause, byPod: map[types.UID]map[string]attempt{}}
}

func (p *pulls) last(pod types.UID, image string) attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byPod[pod][image]
}

func (p *pulls) note(pod types.UID, image string, a attempt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byPod[pod] == nil {
		p.byPod[pod] = map[string]attempt{}
	}
	p.byPod[pod][image] = a
}

func (p *pulls) forget(pod types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.byPod, pod)
}

// after is the attempt that follows a, which ended with problem.
func (p *pulls) after(a attempt, problem string, now time.Time) attempt {
	if problem == "" {
		return attempt{pulled: true}
	}
	pause := p.pause.Min
	for range a.failures {
		pause = min(2*pause, p.pause.Max)
	}
	return attempt{failures: a.failures + 1, problem: problem, at: now, next: now.Add(pause)}
}

// state is what a kubelet says between two pulls, and when it says something else: that it failed, and half-way that it waits.
func (a attempt) state(image string, now time.Time) (corev1.ContainerStateWaiting, time.Duration) {
	if half := a.at.Add(a.next.Sub(a.at) / 2); now.Before(half) {
		return corev1.ContainerStateWaiting{Reason: reasonErrImagePull, Message: a.problem}, half.Sub(now)
	}
	message := fmt.Sprintf("Back-off pulling image %q: %s: %s", image, reasonErrImagePull, a.problem)
	return corev1.ContainerStateWaiting{Reason: reasonImagePullBackOff, Message: message}, a.next.Sub(now)
}

// pullImages pulls what a pod still lacks, and returns what the containers say that cannot start without, and when to look again.
func (k *kubelet) pullImages(ctx context.Context, pod *corev1.Pod, now time.Time) (map[string]corev1.ContainerStateWaiting, time.Duration) {
	if k.settings.Pull == nil {
		return nil, 0
	}
	waiting := map[string]corev1.ContainerStateWaiting{}
	var again time.Duration
	for _, c := range pod.Spec.Containers {
		a := k.pulls.last(pod.UID, c.Image)
		if !a.pulled && !now.Before(a.next) {
			a = k.pulls.after(a, k.settings.Pull(ctx, c.Image), now)
			k.pulls.note(pod.UID, c.Image, a)
			if !a.pulled {
				k.events.Eventf(pod, corev1.EventTypeWarning, reasonFailed, "Failed to pull image %q: %s", c.Image, a.problem)
			}
		}
		if a.pulled {
			continue
		}
		state, soon := a.state(c.Image, now)
		waiting[c.Name] = state
		if again == 0 || soon < again {
			again = soon
		}
	}
	return waiting, again
}
