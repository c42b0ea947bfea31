package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/auth0/go-auth0"
	"github.com/auth0/go-auth0/management"
	"golang.org/x/oauth2/clientcredentials"
)

const (
	many   = 1_000
	some   = 120
	atOnce = 8
)

// checkManagement lives the life of what can be configured, by go-auth0's management package.
func checkManagement(ctx context.Context, at house) {
	secret(at.Management.Secret)
	api, err := management.New(at.Domain,
		management.WithClientCredentials(ctx, at.Management.ID, at.Management.Secret))
	if err != nil {
		check("go-auth0 management: New", func() error { return err })
		return
	}
	promises := []struct {
		name string
		body func(context.Context, house, *management.Management) error
	}{
		{"the life of a client, its secret rotated", lifeOfClient},
		{"credentials of a client, and private_key_jwt with them", lifeOfCredential},
		{"the life of an API, by id and by identifier", lifeOfResourceServer},
		{"the life of a client grant, which tokens follow", lifeOfClientGrant},
		{fmt.Sprintf("pages of clients over %d and of grants over %d", many, some), pages},
	}
	for _, one := range promises {
		check("go-auth0 management: "+one.name, func() error { return one.body(ctx, at, api) })
	}
}

func lifeOfClient(ctx context.Context, at house, api *management.Management) error {
	made := &management.Client{Name: auth0.String("By SDK"), AppType: auth0.String("non_interactive"),
		ClientMetadata: &map[string]any{"a": "1", "b": "2"}}
	if err := api.Client.Create(ctx, made); err != nil {
		return err
	}
	id, old := made.GetClientID(), secret(made.GetClientSecret())
	change := &management.Client{Description: auth0.String("Changed"), ClientMetadata: &map[string]any{"a": nil, "c": "3"}}
	if err := api.Client.Update(ctx, id, change); err != nil {
		return err
	}
	read, err := api.Client.Read(ctx, id)
	if err != nil {
		return err
	}
	found := fmt.Sprintf("%s %v %d", read.GetDescription(), read.GetClientMetadata(),
		read.GetJWTConfiguration().GetLifetimeInSeconds())
	if found != "Changed map[b:2 c:3] 36000" {
		return errors.New(found)
	}
	grant := &management.ClientGrant{ClientID: &id, Audience: &at.Audience, Scope: &[]string{"read:messages"}}
	if err := api.ClientGrant.Create(ctx, grant); err != nil {
		return err
	}
	rotated, err := api.Client.RotateSecret(ctx, id)
	if err != nil {
		return err
	}
	if token(ctx, at, id, old) == nil {
		return errors.New("the old secret still gives tokens")
	}
	if err := token(ctx, at, id, secret(rotated.GetClientSecret())); err != nil {
		return err
	}
	if err := api.Client.Delete(ctx, id); err != nil {
		return err
	}
	_, err = api.Client.Read(ctx, id)
	return status(err, 404)
}

func lifeOfCredential(ctx context.Context, _ house, api *management.Management) error {
	app := &management.Client{Name: auth0.String("Signs")}
	if err := api.Client.Create(ctx, app); err != nil {
		return err
	}
	secret(app.GetClientSecret())
	id := app.GetClientID()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	made := &management.Credential{Name: auth0.String("Key"), CredentialType: auth0.String("public_key"),
		PEM: &text, Algorithm: auth0.String("ES256")}
	if err := api.Client.CreateCredential(ctx, id, made); err != nil {
		return err
	}
	until := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	made.ExpiresAt = &until
	if err := api.Client.UpdateCredential(ctx, id, made.GetID(), made); err != nil {
		return err
	}
	listed, err := api.Client.ListCredentials(ctx, id)
	if err != nil {
		return err
	}
	if len(listed) != 1 || listed[0].GetID() != made.GetID() || !listed[0].GetExpiresAt().Equal(until) {
		return fmt.Errorf("%d listed: %v", len(listed), listed)
	}
	methods := &management.ClientAuthenticationMethods{PrivateKeyJWT: &management.PrivateKeyJWT{
		Credentials: &[]management.Credential{{ID: made.ID}}}}
	keyed := &management.Client{ClientAuthenticationMethods: methods}
	if err := api.Client.Update(ctx, id, keyed); err != nil {
		return err
	}
	if keyed, err = api.Client.Read(ctx, id); err != nil {
		return err
	}
	if keyed.ClientSecret != nil || keyed.ClientAuthenticationMethods == nil {
		return errors.New("a client with keys shows a secret, or not its keys")
	}
	if err := api.Client.Delete(ctx, id); err != nil {
		return err
	}
	_, err = api.Client.GetCredential(ctx, id, made.GetID())
	return status(err, 404)
}

func lifeOfResourceServer(ctx context.Context, _ house, api *management.Management) error {
	identifier := "https://by-sdk.example.com/v1/a b"
	made := &management.ResourceServer{Identifier: &identifier, Name: auth0.String("By SDK")}
	if err := api.ResourceServer.Create(ctx, made); err != nil {
		return err
	}
	scopes := []management.ResourceServerScope{{Value: auth0.String("read:a"), Description: auth0.String("Read")}}
	change := &management.ResourceServer{Scopes: &scopes, TokenLifetime: auth0.Int(600), TokenLifetimeForWeb: auth0.Int(60)}
	if err := api.ResourceServer.Update(ctx, identifier, change); err != nil {
		return err
	}
	for _, by := range []string{made.GetID(), identifier} {
		read, err := api.ResourceServer.Read(ctx, by)
		if err != nil {
			return err
		}
		if read.GetID() != made.GetID() || read.GetTokenLifetime() != 600 || len(read.GetScopes()) != 1 {
			return fmt.Errorf("read by %s: %v", by, read)
		}
	}
	listed, err := api.ResourceServer.List(ctx, management.Parameter("identifiers", identifier))
	if err != nil {
		return err
	}
	if listed.Total != 1 || listed.ResourceServers[0].GetID() != made.GetID() {
		return fmt.Errorf("%d listed", listed.Total)
	}
	if err := api.ResourceServer.Delete(ctx, identifier); err != nil {
		return err
	}
	_, err = api.ResourceServer.Read(ctx, made.GetID())
	return status(err, 404)
}

func lifeOfClientGrant(ctx context.Context, at house, api *management.Management) error {
	app := &management.Client{Name: auth0.String("Granted")}
	if err := api.Client.Create(ctx, app); err != nil {
		return err
	}
	id, password := app.GetClientID(), secret(app.GetClientSecret())
	made := &management.ClientGrant{ClientID: &id, Audience: &at.Audience, Scope: &[]string{"read:messages"}}
	if err := api.ClientGrant.Create(ctx, made); err != nil {
		return err
	}
	again := &management.ClientGrant{ClientID: &id, Audience: &at.Audience, Scope: &[]string{}}
	if err := status(api.ClientGrant.Create(ctx, again), 409); err != nil {
		return err
	}
	if token(ctx, at, id, password, "write:messages") == nil {
		return errors.New("a scope that is not granted")
	}
	change := &management.ClientGrant{Scope: &[]string{"read:messages", "write:messages"}}
	if err := api.ClientGrant.Update(ctx, made.GetID(), change); err != nil {
		return err
	}
	if err := token(ctx, at, id, password, "write:messages"); err != nil {
		return err
	}
	read, err := api.ClientGrant.Read(ctx, made.GetID())
	if err != nil {
		return err
	}
	if len(read.GetScope()) != 2 {
		return fmt.Errorf("scope %v", read.GetScope())
	}
	if err := api.ClientGrant.Delete(ctx, made.GetID()); err != nil {
		return err
	}
	if token(ctx, at, id, password) == nil {
		return errors.New("a token after the grant was deleted")
	}
	return api.Client.Delete(ctx, id)
}

func pages(ctx context.Context, _ house, api *management.Management) error {
	audience := "urn:many"
	server := &management.ResourceServer{Identifier: &audience,
		Scopes: &[]management.ResourceServerScope{{Value: auth0.String("a")}}}
	if err := api.ResourceServer.Create(ctx, server); err != nil {
		return err
	}
	apps, err := made(many, func(number int) (string, error) {
		app := &management.Client{Name: auth0.Stringf("One of many %d", number), AppType: auth0.String("native")}
		err := api.Client.Create(ctx, app)
		secret(app.GetClientSecret())
		return app.GetClientID(), err
	})
	if err != nil {
		return err
	}
	grants, err := made(some, func(number int) (string, error) {
		grant := &management.ClientGrant{ClientID: &apps[number], Audience: &audience, Scope: &[]string{"a"}}
		err := api.ClientGrant.Create(ctx, grant)
		return grant.GetID(), err
	})
	if err != nil {
		return err
	}
	var listed []string
	for page, more := 0, true; more; page++ {
		one, err := api.Client.List(ctx, management.Page(page), management.Parameter("app_type", "native"))
		if err != nil {
			return err
		}
		for _, app := range one.Clients {
			listed = append(listed, app.GetClientID())
		}
		more = one.HasNext()
	}
	var granted []string
	for from, more := "", true; more; {
		options := []management.RequestOption{management.Take(50), management.Parameter("audience", audience)}
		if from != "" {
			options = append(options, management.From(from))
		}
		one, err := api.ClientGrant.List(ctx, options...)
		if err != nil {
			return err
		}
		for _, grant := range one.ClientGrants {
			granted = append(granted, grant.GetID())
		}
		from, more = one.Next, one.HasNext()
	}
	for _, list := range [][]string{apps, listed, grants, granted} {
		slices.Sort(list)
	}
	if !slices.Equal(apps, listed) || !slices.Equal(grants, granted) {
		return fmt.Errorf("%d clients of %d and %d grants of %d", len(listed), many, len(granted), some)
	}
	return api.ResourceServer.Delete(ctx, server.GetID())
}

// made answers the ids of so many things, a few of them made at once.
func made(count int, one func(number int) (string, error)) ([]string, error) {
	ids, errs := make([]string, count), make([]error, atOnce)
	var workers sync.WaitGroup
	for worker := range atOnce {
		workers.Go(func() {
			for number := worker; number < count && errs[worker] == nil; number += atOnce {
				ids[number], errs[worker] = one(number)
			}
		})
	}
	workers.Wait()
	return ids, errors.Join(errs...)
}

// token says why these credentials and scopes get no token for the sample API.
func token(ctx context.Context, at house, id, password string, scopes ...string) error {
	config := clientcredentials.Config{ClientID: id, ClientSecret: password, TokenURL: at.TokenURL, Scopes: scopes,
		EndpointParams: map[string][]string{"audience": {at.Audience}}}
	found, err := config.Token(ctx)
	if err == nil {
		secret(found.AccessToken)
	}
	return err
}

// status says how err differs from go-auth0's error with this status.
func status(err error, wanted int) error {
	var refused management.Error
	if !errors.As(err, &refused) {
		return fmt.Errorf("not a management.Error: %w", errOrNone(err))
	}
	if refused.Status() != wanted {
		return fmt.Errorf("%w, not %d", refused, wanted)
	}
	return nil
}
