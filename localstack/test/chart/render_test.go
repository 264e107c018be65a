// Package chart_test proves the Helm chart: what it renders, and that the operator works with exactly the rights it gives.
package chart_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/google/go-cmp/cmp"
)

const definitionName = "CustomResourceDefinition nodepools.fleetwright.io"

func TestChartPassesLint(t *testing.T) {
	for name, values := range map[string][]string{
		"defaults":   nil,
		"everything": {"metrics.serviceMonitor.enabled=true", "replicas=2", "imagePullSecrets[0].name=registry", "env[0].name=HTTPS_PROXY", "env[0].value=http://proxy:3128"},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"lint", chart, "--strict"}
			for _, v := range values {
				args = append(args, "--set", v)
			}
			if out, err := helm(t, "", args...); err != nil {
				t.Errorf("helm lint: %v\n%s", err, out)
			}
		})
	}
}

func TestWhatIsRendered(t *testing.T) {
	definitions := []string{
		"CustomResourceDefinition addressallocations.fleetwright.io", "CustomResourceDefinition addressclaims.fleetwright.io",
		"CustomResourceDefinition addresspools.fleetwright.io",
		"CustomResourceDefinition azureclusteradditionalconfigs.fleetwright.io", "CustomResourceDefinition azureclusterautoscalers.fleetwright.io",
		"CustomResourceDefinition azuremaintenanceconfigurations.fleetwright.io", "CustomResourceDefinition azureroleassignments.fleetwright.io",
		"CustomResourceDefinition freezes.fleetwright.io", "CustomResourceDefinition nodepools.fleetwright.io",
		"CustomResourceDefinition workloadclusterclasses.fleetwright.io", "CustomResourceDefinition workloadclusters.fleetwright.io",
	}
	common := append([]string{"ClusterRole fleetwright", "ClusterRoleBinding fleetwright"}, definitions...)
	common = append(common,
		"Deployment fleetwright", "Role fleetwright", "RoleBinding fleetwright", "Service fleetwright-metrics", "ServiceAccount fleetwright",
		"ValidatingAdmissionPolicy fleetwright-delete-protection", "ValidatingAdmissionPolicy fleetwright-owned-objects",
		"ValidatingAdmissionPolicyBinding fleetwright-delete-protection", "ValidatingAdmissionPolicyBinding fleetwright-owned-objects",
	)
	without := func(keys ...string) []string {
		return slices.DeleteFunc(slices.Clone(common), func(k string) bool { return slices.Contains(keys, k) })
	}
	for name, tc := range map[string]struct {
		values []string
		want   []string
	}{
		"defaults":              {want: common},
		"no metrics":            {values: []string{"metrics.enabled=false"}, want: without("Service fleetwright-metrics")},
		"definitions elsewhere": {values: []string{"crds.install=false"}, want: without(definitions...)},
		"no policies": {values: []string{"policies.install=false"}, want: without(
			"ValidatingAdmissionPolicy fleetwright-delete-protection", "ValidatingAdmissionPolicy fleetwright-owned-objects",
			"ValidatingAdmissionPolicyBinding fleetwright-delete-protection", "ValidatingAdmissionPolicyBinding fleetwright-owned-objects")},
		"account elsewhere": {values: []string{"serviceAccount.create=false", "serviceAccount.name=other"}, want: without("ServiceAccount fleetwright")},
		"ServiceMonitor":    {values: []string{"metrics.serviceMonitor.enabled=true"}, want: slices.Sorted(slices.Values(append(slices.Clone(common), "ServiceMonitor fleetwright")))},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.Sorted(maps.Keys(render(t, tc.values...)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("rendered (-want +got)\n%s", diff)
			}
		})
	}
}

func TestChartGivesTheRightsOfConfig(t *testing.T) {
	rendered, wanted := render(t), decodeFile(t, root+"/config/rbac/role.yaml")
	for key := range wanted {
		got, want := as[rules](t, rendered, key).Rules, as[rules](t, wanted, key).Rules
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs from config/rbac (-config +chart)\n%s", key, diff)
		}
	}
	for key := range rendered {
		if strings.HasPrefix(key, "Role ") || strings.HasPrefix(key, "ClusterRole ") {
			if wanted[key] == nil {
				t.Errorf("the chart makes %s, which is not in config/rbac", key)
			}
		}
	}
	want := []rbacv1.Subject{{Kind: "ServiceAccount", Name: "fleetwright", Namespace: namespace}}
	for who, subjects := range map[string][]rbacv1.Subject{
		"rights everywhere":       as[rbacv1.ClusterRoleBinding](t, rendered, "ClusterRoleBinding fleetwright").Subjects,
		"rights in the namespace": as[rbacv1.RoleBinding](t, rendered, "RoleBinding fleetwright").Subjects,
	} {
		if diff := cmp.Diff(want, subjects); diff != "" {
			t.Errorf("%s go to (-want +got)\n%s", who, diff)
		}
	}
}

// The chart adds only metadata to a definition: not a number in it is written differently.
func TestChartDoesNotChangeDefinitions(t *testing.T) {
	want := as[definition](t, decodeFile(t, root+"/config/crd/fleetwright.io_nodepools.yaml"), definitionName)
	for name, tc := range map[string]struct{ value, policy string }{
		"kept":     {"crds.keep=true", "keep"},
		"not kept": {"crds.keep=false", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := as[definition](t, render(t, tc.value), definitionName)
			if diff := cmp.Diff(want.Spec, got.Spec); diff != "" {
				t.Errorf("spec (-config +chart)\n%s", diff)
			}
			if policy := got.Annotations["helm.sh/resource-policy"]; policy != tc.policy {
				t.Errorf("helm.sh/resource-policy is %q, want %q", policy, tc.policy)
			}
			if got.Labels["app.kubernetes.io/name"] != "fleetwright" {
				t.Errorf("labels are %v", got.Labels)
			}
		})
	}
}

// What the restricted Pod Security Standard asks for, and a file system that cannot be written.
func TestManagerIsConfined(t *testing.T) {
	pod := as[deployment](t, render(t), "Deployment fleetwright").Spec.Template.Spec
	if c := pod.SecurityContext; c == nil || c.RunAsNonRoot == nil || !*c.RunAsNonRoot || c.SeccompProfile == nil || c.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("the pod's security context is %+v", c)
	}
	if len(pod.Containers) != 1 {
		t.Fatalf("there are %d containers", len(pod.Containers))
	}
	manager := pod.Containers[0]
	c := manager.SecurityContext
	if c == nil || c.ReadOnlyRootFilesystem == nil || !*c.ReadOnlyRootFilesystem || c.AllowPrivilegeEscalation == nil || *c.AllowPrivilegeEscalation ||
		c.Capabilities == nil || fmt.Sprint(c.Capabilities.Drop) != "[ALL]" || len(c.Capabilities.Add) > 0 {
		t.Errorf("the container's security context is %+v", c)
	}
	if manager.LivenessProbe == nil || manager.ReadinessProbe == nil || manager.Resources.Requests.Memory().IsZero() || manager.Resources.Limits.Memory().IsZero() {
		t.Error("the container has no probes, or neither requests nor limits")
	}
}

// Go is told of the container's limit, by the kubelet, who knows it whatever changed it; not of none, and a person's own word counts.
func TestMemoryLimitIsTold(t *testing.T) {
	const told = "MEMORY_LIMIT_MEBIBYTES=limits.memory/1Mi GOMEMLIMIT=$(MEMORY_LIMIT_MEBIBYTES)000000"
	for name, tc := range map[string]struct {
		values []string
		want   string
	}{
		"defaults":       {nil, told},
		"another limit":  {[]string{"resources.limits.memory=2Gi"}, told},
		"no limit":       {[]string{"resources.limits=null"}, ""},
		"no resources":   {[]string{"resources=null"}, ""},
		"a person's own": {[]string{"env[0].name=GOMEMLIMIT", "env[0].value=1GiB"}, "GOMEMLIMIT=1GiB"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, v := range as[deployment](t, render(t, tc.values...), "Deployment fleetwright").Spec.Template.Spec.Containers[0].Env {
				switch from := v.ValueFrom; {
				case from == nil:
					got = append(got, v.Name+"="+v.Value)
				case from.ResourceFieldRef != nil:
					got = append(got, fmt.Sprintf("%s=%s/%s", v.Name, from.ResourceFieldRef.Resource, from.ResourceFieldRef.Divisor.String()))
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("the container's environment is %q, want %q", got, tc.want)
			}
		})
	}
}

func TestImage(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for name, tc := range map[string]struct {
		values []string
		want   string
	}{
		"defaults": {nil, "ghcr.io/fleetwright/fleetwright:0.1.0-dev"},
		"tag":      {[]string{"image.repository=registry.example.com/fleetwright", "image.tag=v1.2.3"}, "registry.example.com/fleetwright:v1.2.3"},
		"digest":   {[]string{"image.tag=v1.2.3", "image.digest=" + digest}, "ghcr.io/fleetwright/fleetwright@" + digest},
	} {
		t.Run(name, func(t *testing.T) {
			if got := as[deployment](t, render(t, tc.values...), "Deployment fleetwright").Spec.Template.Spec.Containers[0].Image; got != tc.want {
				t.Errorf("the image is %q, want %q", got, tc.want)
			}
		})
	}
}

// The labels that select the Pods, and the port's name, hold Deployment, Service and ServiceMonitor together.
func TestMetricsReachTheManager(t *testing.T) {
	all := render(t, "podLabels.app\\.kubernetes\\.io/name=hijacked", "metrics.port=9090")
	pods, svc := as[deployment](t, all, "Deployment fleetwright").Spec.Template, as[service](t, all, "Service fleetwright-metrics")
	for key, value := range svc.Spec.Selector {
		if pods.Labels[key] != value {
			t.Errorf("the Service selects %s=%s, the Pods have %q", key, value, pods.Labels[key])
		}
	}
	named := map[string]int32{}
	for _, port := range pods.Spec.Containers[0].Ports {
		named[port.Name] = port.ContainerPort
	}
	if target := svc.Spec.Ports[0].TargetPort.StrVal; named[target] != 9090 {
		t.Errorf("the Service's port leads to %q, the container's ports are %v", target, named)
	}
}

// A webhook whose URL is secret stands in no argument: its Secret is mounted where the manager is told to read.
func TestDrainWebhook(t *testing.T) {
	for name, tc := range map[string]struct {
		values        []string
		flag, mounted string
	}{
		"defaults": {},
		"a URL":    {[]string{"drain.webhookURL=https://hooks.example.com/a?b=c"}, "--drain-webhook-url=https://hooks.example.com/a?b=c", ""},
		"a Secret": {[]string{"drain.webhookSecret=hooks"}, "--drain-webhook-url-file=/etc/fleetwright/drain-webhook/url", "hooks at /etc/fleetwright/drain-webhook"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := as[deployment](t, render(t, tc.values...), "Deployment fleetwright").Spec.Template.Spec
			flag, mounted := "", ""
			for _, arg := range pod.Containers[0].Args {
				if strings.HasPrefix(arg, "--drain-webhook") {
					flag += arg
				}
			}
			for i, mount := range pod.Containers[0].VolumeMounts {
				mounted += pod.Volumes[i].Secret.SecretName + " at " + mount.MountPath
			}
			if flag != tc.flag || mounted != tc.mounted {
				t.Errorf("the manager is told %q, and there is %q", flag, mounted)
			}
		})
	}
}

func TestValuesThatAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		values []string
		says   string
	}{
		"a value nobody knows":      {[]string{"metric.enabled=true"}, "additional properties 'metric' not allowed"},
		"a misspelt nested value":   {[]string{"image.tagg=1"}, "additional properties 'tagg' not allowed"},
		"two managers at work":      {[]string{"replicas=2", "leaderElection.enabled=false"}, "two managers at work would both write"},
		"no account":                {[]string{"serviceAccount.create=false"}, "serviceAccount.create=false needs serviceAccount.name"},
		"a digest without its kind": {[]string{"image.digest=abc"}, "does not match pattern"},
		"a privileged port":         {[]string{"metrics.port=80"}, "minimum"},
		"a deleter that is no name": {[]string{"policies.deleters={it's}"}, "does not match pattern"},
		"no workers":                {[]string{"nodepool.workers=0"}, "minimum"},
		"two webhooks":              {[]string{"drain.webhookURL=https://hooks.example.com", "drain.webhookSecret=hooks"}, "choose one"},
		"a webhook that is no URL":  {[]string{"drain.webhookURL=hooks.example.com"}, "does not match pattern"},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"template", release, chart}
			for _, v := range tc.values {
				args = append(args, "--set", v)
			}
			_, err := helm(t, "", args...)
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("helm says %v, want %q", err, tc.says)
			}
		})
	}
}
