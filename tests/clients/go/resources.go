package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/auth0/go-auth0"
	"github.com/auth0/go-auth0/management"
)

const (
	database  = "Username-Password-Authentication"
	signature = "Correct horse of Go 9"
	settle    = 30 * time.Second
)

// checkResources lives the life of everything but applications and APIs, by go-auth0's management package.
func checkResources(ctx context.Context, at house) {
	secret(signature)
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
		{"the life of a user, found by q and by address", lifeOfUser},
		{"logins, active users and blocks of a user", lifeOfLogins},
		{"roles, their permissions and users", lifeOfRole},
		{"connections and their password policy", lifeOfConnection},
		{"the log, signing keys, tenant settings, attack protection", settings},
		{"users in from a file, and out to one", jobs},
		{"tickets, and the pages that they lead to", tickets},
		{"what users have not got here is empty, or says what to do", nothing},
	}
	for _, one := range promises {
		check("go-auth0 management: "+one.name, func() error { return one.body(ctx, at, api) })
	}
}

func person(ctx context.Context, api *management.Management, email string) (*management.User, error) {
	made := &management.User{Connection: auth0.String(database), Email: &email, Password: auth0.String(signature),
		UserMetadata: &map[string]any{"a": 1, "b": 2}}
	return made, api.User.Create(ctx, made)
}

func lifeOfUser(ctx context.Context, at house, api *management.Management) error {
	made, err := person(ctx, api, "go.sdk@example.com")
	if err != nil {
		return err
	}
	if made.GetPicture() != at.Issuer+"avatars/go.svg" {
		return errors.New(made.GetPicture())
	}
	change := &management.User{UserMetadata: &map[string]any{"a": nil, "c": 3}, GivenName: auth0.String("Go")}
	if err := api.User.Update(ctx, made.GetID(), change); err != nil {
		return err
	}
	read, err := api.User.Read(ctx, made.GetID())
	if err != nil {
		return err
	}
	if found := fmt.Sprintf("%s %v", read.GetGivenName(), read.GetUserMetadata()); found != "Go map[b:2 c:3]" {
		return errors.New(found)
	}
	byEmail, err := api.User.ListByEmail(ctx, "GO.sdk@example.com")
	if err != nil || len(byEmail) != 1 || byEmail[0].GetID() != made.GetID() {
		return fmt.Errorf("%d by address: %w", len(byEmail), errOrNone(err))
	}
	found, err := api.User.Search(ctx, management.Query(`email:"go.sdk@example.com" AND given_name:Go`))
	if err != nil || found.Total != 1 {
		return fmt.Errorf("found by q: %w", errOrNone(err))
	}
	_, err = person(ctx, api, "go.sdk@example.com")
	if err := status(err, 409); err != nil {
		return err
	}
	if err := api.User.Delete(ctx, made.GetID()); err != nil {
		return err
	}
	_, err = api.User.Read(ctx, made.GetID())
	return status(err, 404)
}

func lifeOfLogins(ctx context.Context, at house, api *management.Management) error {
	made, err := person(ctx, api, "login@go.example.com")
	if err != nil {
		return err
	}
	id, email := made.GetID(), made.GetEmail()
	if answer := signIn(at, email, signature); answer != 200 {
		return fmt.Errorf("the first login: %d", answer)
	}
	for end := time.Now().Add(settle); ; time.Sleep(100 * time.Millisecond) {
		read, err := api.User.Read(ctx, id)
		if err != nil {
			return err
		}
		if read.GetLoginsCount() == 1 && time.Since(read.GetLastLogin()) < time.Minute && read.GetLastIP() != "" {
			break
		}
		if time.Now().After(end) {
			return errors.New("the login was not counted")
		}
	}
	if active, err := api.Stat.ActiveUsers(ctx); err != nil || active < 1 {
		return fmt.Errorf("%d active: %w", active, errOrNone(err))
	}
	if days, err := api.Stat.Daily(ctx); err != nil || len(days) == 0 || days[len(days)-1].GetLogins() < 1 {
		return fmt.Errorf("%d days: %w", len(days), errOrNone(err))
	}
	last := 403
	for tries := 0; tries < 20 && last == 403; tries++ {
		last = signIn(at, email, "wrong")
	}
	blocks, err := api.User.BlocksByIdentifier(ctx, email)
	if err != nil || last != 429 || len(blocks) != 1 || blocks[0].GetIdentifier() != email {
		return fmt.Errorf("%d, %d blocks: %w", last, len(blocks), errOrNone(err))
	}
	if err := api.User.Unblock(ctx, id); err != nil {
		return err
	}
	if blocks, err := api.User.Blocks(ctx, id); err != nil || len(blocks) != 0 {
		return fmt.Errorf("%d blocks left: %w", len(blocks), errOrNone(err))
	}
	if answer := signIn(at, email, signature); answer != 200 {
		return fmt.Errorf("after the block: %d", answer)
	}
	return api.User.Delete(ctx, id)
}

func lifeOfRole(ctx context.Context, at house, api *management.Management) error {
	role := &management.Role{Name: auth0.String("By Go"), Description: auth0.String("One")}
	if err := api.Role.Create(ctx, role); err != nil {
		return err
	}
	id := role.GetID()
	if err := api.Role.Update(ctx, id, &management.Role{Description: auth0.String("Two")}); err != nil {
		return err
	}
	read, err := api.Role.Read(ctx, id)
	if err != nil || read.GetDescription() != "Two" {
		return fmt.Errorf("read %q: %w", read.GetDescription(), errOrNone(err))
	}
	held := []*management.Permission{{ResourceServerIdentifier: &at.Audience, Name: auth0.String("read:messages")}}
	if err := api.Role.AssociatePermissions(ctx, id, held); err != nil {
		return err
	}
	made, err := person(ctx, api, "role@go.example.com")
	if err != nil {
		return err
	}
	if err := api.User.AssignRoles(ctx, made.GetID(), []*management.Role{{ID: &id}}); err != nil {
		return err
	}
	members, err := api.Role.Users(ctx, id)
	if err != nil || len(members.Users) != 1 || members.Users[0].GetID() != made.GetID() {
		return fmt.Errorf("members: %w", errOrNone(err))
	}
	permissions, err := api.User.Permissions(ctx, made.GetID())
	if err != nil || len(permissions.Permissions) != 1 || permissions.Permissions[0].GetName() != "read:messages" {
		return fmt.Errorf("permissions: %w", errOrNone(err))
	}
	if err := api.User.RemoveRoles(ctx, made.GetID(), []*management.Role{{ID: &id}}); err != nil {
		return err
	}
	roles, err := api.User.Roles(ctx, made.GetID())
	if err != nil || len(roles.Roles) != 0 {
		return fmt.Errorf("roles left: %w", errOrNone(err))
	}
	if err := api.Role.RemovePermissions(ctx, id, held); err != nil {
		return err
	}
	if err := api.Role.Delete(ctx, id); err != nil {
		return err
	}
	if _, err := api.Role.Read(ctx, id); status(err, 404) != nil {
		return status(err, 404)
	}
	return api.User.Delete(ctx, made.GetID())
}

func lifeOfConnection(ctx context.Context, at house, api *management.Management) error {
	made := &management.Connection{Name: auth0.String("By-Go"), Strategy: auth0.String("auth0"),
		Options:        &management.ConnectionOptions{PasswordPolicy: auth0.String("excellent")},
		EnabledClients: &[]string{at.Applications["password"].ID}}
	if err := api.Connection.Create(ctx, made); err != nil {
		return err
	}
	read, err := api.Connection.ReadByName(ctx, "By-Go")
	if err != nil || read.GetID() != made.GetID() {
		return fmt.Errorf("by name: %w", errOrNone(err))
	}
	inside := &management.User{Connection: auth0.String("By-Go"), Email: auth0.String("in@by-go.example.com"),
		Password: auth0.String("weak")}
	if err := status(api.User.Create(ctx, inside), 400); err != nil {
		return err
	}
	change := &management.Connection{Options: &management.ConnectionOptions{PasswordPolicy: auth0.String("none")}}
	if err := api.Connection.Update(ctx, made.GetID(), change); err != nil {
		return err
	}
	if err := api.User.Create(ctx, inside); err != nil {
		return err
	}
	if err := api.Connection.Delete(ctx, made.GetID()); err != nil {
		return err
	}
	if _, err := api.Connection.Read(ctx, made.GetID()); status(err, 404) != nil {
		return status(err, 404)
	}
	_, err = api.User.Read(ctx, inside.GetID())
	return status(err, 404)
}

func settings(ctx context.Context, _ house, api *management.Management) error {
	lines, err := api.Log.Search(ctx, management.Query("type:sapi"), management.PerPage(2))
	if err != nil || len(lines) != 2 {
		return fmt.Errorf("%d lines: %w", len(lines), errOrNone(err))
	}
	if line, err := api.Log.Read(ctx, lines[0].GetLogID()); err != nil || line.GetType() != "sapi" {
		return fmt.Errorf("line: %w", errOrNone(err))
	}
	keys, err := api.SigningKey.List(ctx)
	if err != nil || len(keys) < 2 {
		return fmt.Errorf("%d keys: %w", len(keys), errOrNone(err))
	}
	for _, key := range keys {
		if _, err := api.SigningKey.Revoke(ctx, key.GetKID()); key.GetCurrent() && status(err, 400) != nil {
			return status(err, 400)
		}
	}
	before, err := api.Tenant.Read(ctx)
	if err != nil {
		return err
	}
	if err := api.Tenant.Update(ctx, &management.Tenant{FriendlyName: auth0.String("By Go")}); err != nil {
		return err
	}
	after, err := api.Tenant.Read(ctx)
	if err != nil || after.GetFriendlyName() != "By Go" {
		return fmt.Errorf("%q: %w", after.GetFriendlyName(), errOrNone(err))
	}
	name := before.GetFriendlyName()
	if err := api.Tenant.Update(ctx, &management.Tenant{FriendlyName: &name}); err != nil {
		return err
	}
	brute, err := api.AttackProtection.GetBruteForceProtection(ctx)
	if err != nil {
		return err
	}
	changed := &management.BruteForceProtection{MaxAttempts: auth0.Int(8)}
	if err := api.AttackProtection.UpdateBruteForceProtection(ctx, changed); err != nil {
		return err
	}
	read, err := api.AttackProtection.GetBruteForceProtection(ctx)
	if err != nil || read.GetMaxAttempts() != 8 {
		return fmt.Errorf("%d attempts: %w", read.GetMaxAttempts(), errOrNone(err))
	}
	return api.AttackProtection.UpdateBruteForceProtection(ctx, brute)
}

func nothing(ctx context.Context, _ house, api *management.Management) error {
	nobody := "auth0|nobody"
	if grants, err := api.Grant.List(ctx); err != nil || len(grants.Grants) != 0 {
		return fmt.Errorf("grants: %w", errOrNone(err))
	}
	if sessions, err := api.User.ListUserSessions(ctx, nobody); err != nil || len(sessions.Sessions) != 0 {
		return fmt.Errorf("sessions: %w", errOrNone(err))
	}
	if tokens, err := api.User.ListRefreshTokens(ctx, nobody); err != nil || len(tokens.Tokens) != 0 {
		return fmt.Errorf("refresh tokens: %w", errOrNone(err))
	}
	return status(api.Ticket.ChangePassword(ctx, &management.Ticket{UserID: &nobody}), 404)
}

// signIn answers the status of a password request for the sample API.
func signIn(at house, username, password string) int {
	app := at.Applications["password"]
	form := url.Values{"grant_type": {"password"}, "client_id": {app.ID}, "client_secret": {app.Secret},
		"username": {username}, "password": {password}, "audience": {at.Audience}}
	// A client of its own: go-auth0 has http.DefaultClient ask again after a 429, for as long as it is told to wait.
	client := http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{}}
	answer, err := client.PostForm(at.TokenURL, form)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}
