package roleassignment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// pullLook is what one look has shown of the proof, and what follows.
type pullLook struct {
	world pullWorld
	plan  pullPlan
	// pods is the workload cluster's API, nil while nothing is asked of it.
	pods kubernetes.Interface
	// err is why what was planned could not be done; nil when it was.
	err error
}

// lookAtPull observes and decides about the proof; nil when nobody asks for one. The workload cluster is connected to only when there is
// something to do.
func (r *Reconciler) lookAtPull(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation) *pullLook {
	// A cluster that is being deleted takes its pods with it.
	started := a.Annotations[fleetwrightv1.AnnotationPullStarted] != "" && o.cluster.Found && !o.cluster.Deleting
	if o.world.deleting || (a.Spec.PullCheck.Image == "" && !started) {
		return nil
	}
	now := r.Clock.Now()
	l := &pullLook{world: pullWorld{
		wanted: a.Spec.PullCheck.Image != "", assigned: o.world.found != nil, hold: o.world.hold,
		proven: readProof(a.Annotations[fleetwrightv1.AnnotationPullProven]), started: started,
	}}
	if c := meta.FindStatusCondition(a.Status.Conditions, fleetwrightv1.ConditionPullVerified); c != nil {
		l.world.before = c.Reason
		if c.Status != metav1.ConditionTrue && c.Reason != fleetwrightv1.ReasonWaitingForAssignment {
			l.world.since = c.LastTransitionTime.Time
		}
	}
	if l.world.wanted && l.world.assigned {
		if err := r.observePull(ctx, a, o, l, now); err != nil {
			l.world.unreachable = err.Error()
		}
		last, _ := lastTry(a)
		c := meta.FindStatusCondition(a.Status.Conditions, fleetwrightv1.ConditionPullVerified)
		l.world.failing = last == l.world.about && c != nil && c.Status == metav1.ConditionFalse && c.Reason != fleetwrightv1.ReasonWaitingForAssignment
	}
	l.plan = decidePull(l.world, now)
	return l
}

func (r *Reconciler) observePull(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation, l *pullLook, now time.Time) error {
	server, err := loginServer(ctx, o.azure, a.Spec.Scope)
	if err != nil {
		return err
	}
	l.world.image = server + "/" + a.Spec.PullCheck.Image
	l.world.about = aboutOf(o.world.found.ID, l.world.image)
	if l.world.proven.of(l.world.about) && now.Sub(l.world.proven.at) < provenFor {
		return nil
	}
	if !o.cluster.Found || !o.cluster.Provisioned || o.cluster.Deleting {
		return fmt.Errorf("the API server of Cluster %s is not up, or not any more", a.Spec.ClusterName)
	}
	if l.pods, err = r.Clusters.Get(ctx, clusterKey(a)); err != nil {
		return err
	}
	if l.world.started {
		pod, err := l.pods.CoreV1().Pods(podNamespace).Get(ctx, podName(a.UID), metav1.GetOptions{})
		if err == nil {
			l.world.pod = new(readCanary(pod))
			return nil
		} else if !apierrors.IsNotFound(err) {
			return fmt.Errorf("read pod %s/%s of cluster %s: %w", podNamespace, podName(a.UID), a.Spec.ClusterName, err)
		}
	}
	// Any recent answer will do, so none is asked of the store behind the API server.
	list, err := l.pods.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: corev1.LabelOSStable + "=linux", ResourceVersion: "0"})
	if err != nil {
		return fmt.Errorf("list the nodes of cluster %s: %w", a.Spec.ClusterName, err)
	}
	_, node := lastTry(a)
	l.world.nodes = openNodes(list.Items, node)
	return nil
}

// loginServer is the registry's host name. Without the right to read the registry it is the one that nearly all registries have.
func loginServer(ctx context.Context, azure roles.Azure, registryID string) (string, error) {
	server, err := azure.LoginServer(ctx, registryID)
	if refused, sorted := refusal.Of(err); sorted && refused.Kind == refusal.Denied || err == nil && server == "" {
		return strings.ToLower(registryID[strings.LastIndexByte(registryID, '/')+1:]) + ".azurecr.io", nil
	}
	return server, err
}

// lastTry is what was tried last, and on which node; empty for none.
func lastTry(a *fleetwrightv1.AzureRoleAssignment) (about, node string) {
	about, node, _ = strings.Cut(a.Annotations[fleetwrightv1.AnnotationPullStarted], " ")
	return about, node
}

// openNodes are the nodes that take any pod, youngest first: an image is on an old one already. They begin with the one after the last
// that was tried, in case that one cannot.
func openNodes(nodes []corev1.Node, last string) []string {
	var open []corev1.Node
	for _, n := range nodes {
		if takesPods(n) {
			open = append(open, n)
		}
	}
	slices.SortFunc(open, func(a, b corev1.Node) int {
		if c := b.CreationTimestamp.Compare(a.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	first := slices.IndexFunc(open, func(n corev1.Node) bool { return n.Name == last }) + 1
	var out []string
	for i := range open {
		out = append(out, open[(first+i)%len(open)].Name)
	}
	return out
}

func takesPods(n corev1.Node) bool {
	if n.Spec.Unschedulable || !n.DeletionTimestamp.IsZero() {
		return false
	}
	if slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Effect != corev1.TaintEffectPreferNoSchedule }) {
		return false
	}
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// actOnPull does the one thing of the plan, and puts into it what went wrong: the assignment stands whatever becomes of its proof.
func (r *Reconciler) actOnPull(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, l *pullLook) {
	if l.err = r.pullAct(ctx, a, l); l.err != nil {
		l.plan = pullFailed(l.world, l.plan, l.err, r.Clock.Now())
	}
}

// pullAct does one thing. Each can be repeated.
func (r *Reconciler) pullAct(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, l *pullLook) error {
	switch l.plan.action {
	case pullStart:
		// Noted first: no pod is ever without its note.
		if try := l.world.about + " " + l.plan.node; a.Annotations[fleetwrightv1.AnnotationPullStarted] != try {
			if err := ownobject.Annotate(ctx, r.Client, a, map[string]string{fleetwrightv1.AnnotationPullStarted: try}, fieldOwner); err != nil {
				return err
			}
		}
		pod := canaryPod(a, l.plan.node, l.world.image, l.world.about)
		_, err := l.pods.CoreV1().Pods(podNamespace).Create(ctx, pod, metav1.CreateOptions{FieldManager: string(fieldOwner)})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create pod %s/%s in cluster %s: %w", pod.Namespace, pod.Name, a.Spec.ClusterName, err)
		}
	case pullAgain:
		return r.deletePod(ctx, a, l.pods)
	case pullProve:
		if err := r.deletePod(ctx, a, l.pods); err != nil {
			return err
		}
		proven := proof{r.Clock.Now(), l.world.about, l.world.pod.node}
		return ownobject.Annotate(ctx, r.Client, a, map[string]string{fleetwrightv1.AnnotationPullProven: proven.text(), fleetwrightv1.AnnotationPullStarted: ""}, fieldOwner)
	case pullEnd:
		pods, err := r.Clusters.Get(ctx, clusterKey(a))
		if err != nil {
			return err
		}
		if err := r.deletePod(ctx, a, pods); err != nil {
			return err
		}
		return ownobject.Annotate(ctx, r.Client, a, map[string]string{fleetwrightv1.AnnotationPullStarted: ""}, fieldOwner)
	case pullNothing:
	}
	return nil
}

func (r *Reconciler) deletePod(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, pods kubernetes.Interface) error {
	name := podName(a.UID)
	err := pods.CoreV1().Pods(podNamespace).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete pod %s/%s of cluster %s: %w", podNamespace, name, a.Spec.ClusterName, err)
	}
	return nil
}

// stopPull takes the pod of an object that goes away with it. A cluster that does not answer keeps nobody from going.
func (r *Reconciler) stopPull(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation) error {
	if a.Annotations[fleetwrightv1.AnnotationPullStarted] == "" || !o.cluster.Found || o.cluster.Deleting || o.world.hold.Everything() {
		return nil
	}
	pods, err := r.Clusters.Get(ctx, clusterKey(a))
	if err == nil {
		err = r.deletePod(ctx, a, pods)
	}
	if err != nil {
		logf.FromContext(ctx).Info("A pod that pulls may be left behind", "cluster", a.Spec.ClusterName, "pod", podName(a.UID), "error", err.Error())
	}
	return nil
}
