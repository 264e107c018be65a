package roleassignment

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

const (
	// podNamespace is where every AKS cluster lets system pods run.
	podNamespace = metav1.NamespaceSystem
	// aboutAnnotation says on a pod what it proves.
	aboutAnnotation = "fleetwright.io/pull-check"
	// drainLabel is Cluster API's: the pod holds up no drain.
	drainLabel, drainSkip = "cluster.x-k8s.io/drain", "skip"
	// evictAnnotation is the cluster autoscaler's: the pod holds up no scale-down.
	evictAnnotation = "cluster-autoscaler.kubernetes.io/safe-to-evict"
)

// canary is the pod that pulls, as the kubelet tells of it.
type canary struct {
	name, node, about string
	created           time.Time
	leaving           bool
	// pulled is true once the image is on the node.
	pulled bool
	// failed says why the pod is over without that, noRoom why it has no place, problem why the image cannot be pulled; empty for none.
	failed, noRoom, problem string
}

// aboutOf is what a proof counts for: an image pulled by right of an assignment.
func aboutOf(assignmentID, image string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(assignmentID) + " " + image))
	return hex.EncodeToString(sum[:6])
}

// podName is always the same for an object, so that there is one pod at most.
func podName(uid types.UID) string {
	sum := sha256.Sum256([]byte(uid))
	return "fleetwright-pull-" + hex.EncodeToString(sum[:5])
}

// canaryPod pulls an image on a node and runs nothing of it: its command exists in no image, so that the container fails to start
// once the image is there. It fits into a namespace that allows only restricted pods, tolerates nothing and holds up neither drains nor
// the autoscaler.
func canaryPod(a *fleetwrightv1.AzureRoleAssignment, node, image, about string) *corev1.Pod {
	small := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1m"), corev1.ResourceMemory: resource.MustParse("16Mi")}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: podName(a.UID), Namespace: podNamespace,
			Labels:      map[string]string{"app.kubernetes.io/managed-by": "fleetwright", fleetwrightv1.LabelPullCheck: string(a.UID), drainLabel: drainSkip},
			Annotations: map[string]string{aboutAnnotation: about, evictAnnotation: "true"},
		},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, TerminationGracePeriodSeconds: new(int64(0)),
			AutomountServiceAccountToken: new(false), EnableServiceLinks: new(false),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(int64(65534)), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{node}}}}},
			}}},
			Containers: []corev1.Container{{
				Name: "pull", Image: image, ImagePullPolicy: corev1.PullAlways, Command: []string{"/fleetwright-pull-check"},
				Resources: corev1.ResourceRequirements{Requests: small, Limits: small},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
}

// readCanary reads what the scheduler and the kubelet say.
func readCanary(p *corev1.Pod) canary {
	c := canary{name: p.Namespace + "/" + p.Name, node: p.Spec.NodeName, about: p.Annotations[aboutAnnotation], created: p.CreationTimestamp.Time, leaving: !p.DeletionTimestamp.IsZero()}
	if c.node == "" {
		c.node = intendedNode(p)
	}
	for _, s := range p.Status.ContainerStatuses {
		c.pulled = c.pulled || pulledBy(s)
		if w := s.State.Waiting; w != nil && pullProblem[w.Reason] {
			c.problem = strings.TrimSpace(w.Reason + ": " + w.Message)
		}
	}
	for _, cond := range p.Status.Conditions {
		if cond.Type == corev1.PodScheduled && cond.Status == corev1.ConditionFalse && cond.Reason == corev1.PodReasonUnschedulable {
			c.noRoom = cond.Message
		}
	}
	if !c.pulled && (p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded) {
		c.failed = strings.TrimSpace(p.Status.Reason + " " + p.Status.Message)
		if c.failed == "" {
			c.failed = "it does not say why"
		}
	}
	return c
}

func intendedNode(p *corev1.Pod) string {
	if p.Spec.Affinity == nil || p.Spec.Affinity.NodeAffinity == nil || p.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return ""
	}
	for _, term := range p.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, field := range term.MatchFields {
			if len(field.Values) == 1 {
				return field.Values[0]
			}
		}
	}
	return ""
}

// pullProblem are the kubelet's words while an image is not there.
var pullProblem = map[string]bool{
	"ErrImagePull": true, "ImagePullBackOff": true, "InvalidImageName": true, "ImageInspectError": true, "RegistryUnavailable": true, "SignatureValidationFailed": true,
}

// afterPull are those that come only once it is there: a kubelet pulls before anything else.
var afterPull = map[string]bool{
	"CreateContainerConfigError": true, "CreateContainerError": true, "PreCreateHookError": true, "RunContainerError": true, "PostStartHookError": true, "CrashLoopBackOff": true,
}

func pulledBy(s corev1.ContainerStatus) bool {
	switch state := s.State; {
	case state.Running != nil:
		return true
	case state.Waiting != nil:
		return afterPull[state.Waiting.Reason]
	case state.Terminated != nil:
		// Written for a pod whose node was lost, whatever had become of it.
		return state.Terminated.Reason != "ContainerStatusUnknown"
	}
	return false
}

var (
	unauthorized = regexp.MustCompile(`(?i)\b(401|403)\b|unauthorized|forbidden|access denied|authorization failed|insufficient_scope`)
	// A node of another architecture, which container runtimes call "not found" as well.
	otherPlatform = regexp.MustCompile(`(?i)no match(ing)?\b.*\bplatform`)
	notThere      = regexp.MustCompile(`(?i)\b404\b|: not found|manifest unknown|name unknown`)
)

// reasonOf sorts the words of a container runtime. The image's own name is left out of them: it may hold any number.
func reasonOf(problem string, w pullWorld) string {
	words := strings.ReplaceAll(problem, w.image, "image")
	switch {
	case unauthorized.MatchString(words):
		return fleetwrightv1.ReasonUnauthorized
	case otherPlatform.MatchString(words):
		return fleetwrightv1.ReasonPullFailed
	case notThere.MatchString(words):
		return fleetwrightv1.ReasonImageNotFound
	case strings.HasPrefix(words, "ImagePullBackOff") && (w.before == fleetwrightv1.ReasonUnauthorized || w.before == fleetwrightv1.ReasonImageNotFound):
		return w.before // older kubelets only say that they wait
	}
	return fleetwrightv1.ReasonPullFailed
}
