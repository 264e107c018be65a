package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
)

// The private registry of the story. Its id is that of the example, and its images are those of the workload under another name.
const (
	registryGroup  = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/registries"
	registryID     = registryGroup + "/providers/Microsoft.ContainerRegistry/registries/quickstartshop"
	registryServer = "quickstartshop.azurecr.io"
	publicServer   = "registry.k8s.io"
	// assignmentName is the AzureRoleAssignment that is made of the example's additionalConfig.
	assignmentName = "quickstart-registry-shop"
)

// registryOwner is who has the registry: another team, and another service principal than the cluster's.
var registryOwner = simclient.Identity{
	TenantID: "33333333-3333-3333-3333-333333333333", ClientID: "66666666-6666-6666-6666-666666666666", ClientSecret: "not-a-secret",
}

// createRegistry makes the registry in the simulated Azure, as its owner.
func (s *story) createRegistry(ctx context.Context) error {
	for _, resource := range []struct{ id, version, body string }{
		{registryGroup, "2021-04-01", `{"location": "westeurope"}`},
		{registryID, "2023-07-01", `{"location": "westeurope", "sku": {"name": "Standard"}}`},
	} {
		if err := putResource(ctx, s.stack.Azure(), resource.id, resource.version, resource.body); err != nil {
			return err
		}
	}
	return nil
}

func putResource(ctx context.Context, azure *sim.Server, id, version, body string) error {
	owner, err := simclient.New(azure.URL(), azure.CAFile(), registryOwner)
	if err != nil {
		return err
	}
	token, err := owner.Credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{simclient.Audience + "/.default"}})
	if err != nil {
		return fmt.Errorf("sign in to create %s: %w", id, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, azure.URL()+id+"?api-version="+version, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("create %s: %w", id, err)
	}
	request.Header.Set("Authorization", "Bearer "+token.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := owner.Options.Transport.Do(request)
	if err != nil {
		return fmt.Errorf("create %s: %w", id, err)
	}
	defer func() { _ = response.Body.Close() }()
	if answer, err := io.ReadAll(response.Body); err != nil || response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("create %s: %s %s", id, response.Status, answer)
	}
	return nil
}

// fromRegistry has the workload pull its images from the private registry.
func fromRegistry(objects []*unstructured.Unstructured) error {
	for _, object := range objects {
		content, err := json.Marshal(object.Object)
		if err == nil {
			content = bytes.ReplaceAll(content, []byte(`"`+publicServer+`/`), []byte(`"`+registryServer+`/`))
			err = json.Unmarshal(content, &object.Object)
		}
		if err != nil {
			return fmt.Errorf("name the images of %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// tellRegistry says how a node of the cluster has proven that it can pull, without which the cluster would not be ready.
func (s *story) tellRegistry(ctx context.Context) error {
	about := "AzureRoleAssignment " + assignmentName
	return s.await(ctx, about, func(ctx context.Context) (Progress, error) {
		assignment := &fleetwrightv1.AzureRoleAssignment{}
		if err := s.management.Get(ctx, client.ObjectKey{Namespace: namespace, Name: assignmentName}, assignment); err != nil {
			return Progress{}, err
		}
		proven := find(assignment.Status.Conditions, fleetwrightv1.ConditionPullVerified)
		if proven == nil || proven.Status != metav1.ConditionTrue {
			return Progress{}, hopeless{errors.New("no node has proven that it can pull, and the WorkloadCluster is Ready")}
		}
		s.teller.tell(Progress{At: time.Now(), About: about, Reason: proven.Reason, Text: oneLine(proven.Message)})
		return Progress{}, nil
	})
}

// proveRegistry says by what right the pods of all pools came to their images, and fails if it was another one.
func (s *story) proveRegistry(ctx context.Context) (string, error) {
	assignment := &fleetwrightv1.AzureRoleAssignment{}
	if err := s.management.Get(ctx, client.ObjectKey{Namespace: namespace, Name: assignmentName}, assignment); err != nil {
		return "", fmt.Errorf("read AzureRoleAssignment %s: %w", assignmentName, err)
	}
	image := registryServer + "/pause:3.10"
	if pull := s.stack.Azure().Pull(assignment.Status.PrincipalID, image); pull.Reason != sim.PullAllowed {
		return "", fmt.Errorf("the cluster's nodes cannot pull %s: %s", image, pull.Message)
	}
	stranger := "00000000-0000-0000-0000-00000000dead"
	if pull := s.stack.Azure().Pull(stranger, image); pull.Reason != sim.PullUnauthorized {
		return "", fmt.Errorf("everybody can pull %s, so nothing was proven: %s", image, pull.Reason)
	}
	return fmt.Sprintf("from the private registry %s, by right of AzureRoleAssignment %s", registryServer, assignmentName), nil
}
