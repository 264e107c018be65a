package workload

import (
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// Label tells to which service a pod belongs.
const Label = "app"

// graceSeconds is above every drawn termination, so that none is cut short.
const graceSeconds = 60

// Labels of the service's pods.
func (s Service) Labels() map[string]string { return map[string]string{Label: s.Name} }

// Template is the service's pod, scripted for the simulated kubelet.
func (s Service) Template() corev1.PodTemplateSpec {
	grace := int64(graceSeconds)
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: s.Labels(), Annotations: map[string]string{
			kubelet.AnnotationStartSeconds: seconds(s.Start), kubelet.AnnotationTerminationSeconds: seconds(s.Termination),
		}},
		Spec: corev1.PodSpec{TerminationGracePeriodSeconds: &grace, Containers: []corev1.Container{{Name: "main", Image: s.Name}}},
	}
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

func (s Service) meta() metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name, Labels: s.Labels()}
}

func (s Service) selector() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: s.Labels()}
}

// Deployment is the object of a service of that kind.
func (s Service) Deployment() *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: s.meta(), Spec: appsv1.DeploymentSpec{Replicas: new(int32(s.Replicas)), Selector: s.selector(), Template: s.Template()},
	}
}

// ReplicaSet is the object of a service without the Deployment above it.
func (s Service) ReplicaSet() *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: s.meta(), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(s.Replicas)), Selector: s.selector(), Template: s.Template()},
	}
}

// StatefulSet is the object of a service of that kind.
func (s Service) StatefulSet() *appsv1.StatefulSet {
	return &appsv1.StatefulSet{
		ObjectMeta: s.meta(),
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(int32(s.Replicas)), Selector: s.selector(), Template: s.Template(), ServiceName: s.Name,
			PodManagementPolicy: appsv1.ParallelPodManagement,
		},
	}
}

// DisruptionBudget is nil for a service without one.
func (s Service) DisruptionBudget() *policyv1.PodDisruptionBudget {
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: s.meta(), Spec: policyv1.PodDisruptionBudgetSpec{Selector: s.selector()}}
	switch s.Budget {
	case BudgetOne:
		budget.Spec.MaxUnavailable = new(intstr.FromInt32(1))
	case BudgetQuarter:
		budget.Spec.MaxUnavailable = new(intstr.FromString("25%"))
	case BudgetAll:
		budget.Spec.MinAvailable = new(intstr.FromInt32(0))
	default:
		return nil
	}
	return budget
}
