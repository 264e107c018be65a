package kubelet

import (
	"fmt"
	"hash/fnv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	reasonNeverReady   = "SimulatedNeverReady"
	reasonTerminating  = "PodTerminating"
	reasonPodCompleted = "PodCompleted"
	reasonNotReady     = "ContainersNotReady"
	exitCodeKilled     = 137
)

func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

func wantsReady(pod *corev1.Pod) bool { return pod.Annotations[AnnotationNeverReady] != "true" }

func isReady(pod *corev1.Pod) bool {
	c := podCondition(pod, corev1.PodReady)
	return c != nil && c.Status == corev1.ConditionTrue
}

func podCondition(pod *corev1.Pod, t corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == t {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// runningStatus has all containers running since startTime, ready unless the pod is scripted never to be.
func runningStatus(node *corev1.Node, pod *corev1.Pod, now time.Time) corev1.PodStatus {
	ready, reason := corev1.ConditionTrue, ""
	if !wantsReady(pod) {
		ready, reason = corev1.ConditionFalse, reasonNeverReady
	}
	began := pod.Status.StartTime
	if began == nil {
		began = &metav1.Time{Time: now}
	}
	ip := podIP(pod.UID)
	s := corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: began,
		HostIP: nodeIP(node), PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}},
		Conditions: []corev1.PodCondition{
			condition(pod, corev1.PodReadyToStartContainers, corev1.ConditionTrue, "", now),
			condition(pod, corev1.PodInitialized, corev1.ConditionTrue, "", now),
			condition(pod, corev1.ContainersReady, ready, reason, now),
			condition(pod, corev1.PodReady, ready, reason, now),
		},
	}
	for _, c := range pod.Spec.Containers {
		status := containerStatus(c, ready == corev1.ConditionTrue)
		status.State.Running = &corev1.ContainerStateRunning{StartedAt: startedAt(pod, c.Name, now)}
		s.ContainerStatuses = append(s.ContainerStatuses, status)
	}
	return s
}

// waitingStatus is that of a pod whose node has no image for some of its containers. The others run.
func waitingStatus(node *corev1.Node, pod *corev1.Pod, waiting map[string]corev1.ContainerStateWaiting, now time.Time) corev1.PodStatus {
	s := runningStatus(node, pod, now)
	s.Phase = corev1.PodPending
	var unready []string
	for i := range s.ContainerStatuses {
		status := &s.ContainerStatuses[i]
		if state, waits := waiting[status.Name]; waits {
			no := false
			status.Ready, status.Started, status.State = false, &no, corev1.ContainerState{Waiting: &state}
			unready = append(unready, status.Name)
		}
	}
	for i, c := range s.Conditions {
		if c.Type == corev1.ContainersReady || c.Type == corev1.PodReady {
			s.Conditions[i] = condition(pod, c.Type, corev1.ConditionFalse, reasonNotReady, now)
			s.Conditions[i].Message = fmt.Sprintf("containers with unready status: %s", unready)
		}
	}
	return s
}

// saysWaiting is true when the pod's status has it already.
func saysWaiting(pod *corev1.Pod, waiting map[string]corev1.ContainerStateWaiting) bool {
	said := 0
	for _, s := range pod.Status.ContainerStatuses {
		state, waits := waiting[s.Name]
		if waits != (s.State.Waiting != nil) || waits && *s.State.Waiting != state {
			return false
		}
		said++
	}
	return said == len(pod.Spec.Containers)
}

// notReadyStatus changes readiness only.
func notReadyStatus(pod *corev1.Pod, now time.Time) corev1.PodStatus {
	return corev1.PodStatus{Conditions: []corev1.PodCondition{
		condition(pod, corev1.ContainersReady, corev1.ConditionFalse, reasonTerminating, now),
		condition(pod, corev1.PodReady, corev1.ConditionFalse, reasonTerminating, now),
	}}
}

// endedStatus is final: Succeeded if the containers ended by themselves, Failed if they were killed.
func endedStatus(pod *corev1.Pod, killed bool, now time.Time) corev1.PodStatus {
	phase, exit, why := corev1.PodSucceeded, int32(0), "Completed"
	if killed {
		phase, exit, why = corev1.PodFailed, int32(exitCodeKilled), "Error"
	}
	s := corev1.PodStatus{
		Phase: phase,
		Conditions: []corev1.PodCondition{
			condition(pod, corev1.ContainersReady, corev1.ConditionFalse, reasonPodCompleted, now),
			condition(pod, corev1.PodReady, corev1.ConditionFalse, reasonPodCompleted, now),
		},
	}
	var began metav1.Time
	if pod.Status.StartTime != nil {
		began = *pod.Status.StartTime
	}
	for _, c := range pod.Spec.Containers {
		status := containerStatus(c, false)
		status.State.Terminated = &corev1.ContainerStateTerminated{ExitCode: exit, Reason: why, StartedAt: began, FinishedAt: metav1.NewTime(now)}
		s.ContainerStatuses = append(s.ContainerStatuses, status)
	}
	return s
}

// startedAt is since when a container runs: from now on if it did not before.
func startedAt(pod *corev1.Pod, container string, now time.Time) metav1.Time {
	for _, s := range pod.Status.ContainerStatuses {
		if s.Name == container && s.State.Running != nil {
			return s.State.Running.StartedAt
		}
	}
	return metav1.NewTime(now)
}

// lastStarted is when the last container of a pod began to run, the zero time if none does.
func lastStarted(pod *corev1.Pod) time.Time {
	var last time.Time
	for _, s := range pod.Status.ContainerStatuses {
		if s.State.Running != nil && s.State.Running.StartedAt.After(last) {
			last = s.State.Running.StartedAt.Time
		}
	}
	return last
}

func containerStatus(c corev1.Container, ready bool) corev1.ContainerStatus {
	yes := true
	return corev1.ContainerStatus{Name: c.Name, Image: c.Image, Ready: ready, Started: &yes}
}

// condition keeps the transition time of a condition that does not change.
func condition(pod *corev1.Pod, t corev1.PodConditionType, status corev1.ConditionStatus, reason string, now time.Time) corev1.PodCondition {
	c := corev1.PodCondition{Type: t, Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(now)}
	if before := podCondition(pod, t); before != nil && before.Status == status {
		c.LastTransitionTime = before.LastTransitionTime
	}
	return c
}

// podIP is an address out of 10.128.0.0/9 that stays the same for a pod. There is no network behind it.
func podIP(uid types.UID) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(uid))
	n := h.Sum32()
	return fmt.Sprintf("10.%d.%d.%d", 128+n>>16&127, n>>8&255, n&255)
}

func nodeIP(node *corev1.Node) string {
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}
