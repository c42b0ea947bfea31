// Pages as no link leads to them: after something was sent, shown, made or refused. Each is held to what every page is.

import { secret } from "../quickstart/check.mjs";

const press = (page, name) => page.locator("main").getByRole("button", { name, exact: true }).first().click();

/** Rotates the keys, so that there is a previous one to revoke; at once, whatever the page advises. */
export async function rotate(page) {
  await page.goto("/console/keys");
  await page.getByRole("button", { name: /^Rotate RS256/ }).click();
  const hasty = page.getByRole("button", { name: "Rotate RS256 at once" });
  await hasty.or(page.locator(".notice")).first().waitFor();
  if (await hasty.count()) await hasty.click();
  await page.locator(".notice").waitFor();
}

/** Gives an application a quota that it has used up, over the Management API. */
export async function quota(base, { applications, audience }) {
  const post = async (path, body, authorization) => {
    const headers = { "content-type": "application/json", ...(authorization && { authorization }) };
    const answer = await fetch(`${base}${path}`, { method: authorization ? "PATCH" : "POST", headers, body: JSON.stringify(body) });
    if (answer.status >= 500) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  };
  const ask = ({ client_id, client_secret }, audience) =>
    post("/oauth/token", { grant_type: "client_credentials", client_id, client_secret, audience });
  const { access_token } = await ask(applications.admin, `${base}/api/v2/`);
  const token_quota = { client_credentials: { enforce: true, per_hour: 3, per_day: 40 } };
  await post(`/api/v2/clients/${applications.reader.client_id}`, { token_quota }, `Bearer ${secret(access_token)}`);
  for (let count = 0; count < 4; count += 1) await ask(applications.reader, audience);
}

/** Each state: its name, and how a page gets there. */
export function states({ facts, testTab }) {
  const { sample, reader } = facts.applications;
  const applicationPage = (id, page = "") => `/console/applications/${id}${page}`;
  const issue = async (page) => {
    await page.goto(`${testTab}?application=${sample.client_id}`);
    await press(page, "Issue a token");
    await page.locator("#access-token").waitFor();
    return page.locator("#access-token").textContent();
  };
  return [
    ["debugger-answered", async (page) => {
      await page.goto(`/console/debugger/client-credentials?client_id=${sample.client_id}`);
      await page.locator("section button[value=send]").click();
      await page.locator(".exchange .tag.good").waitFor();
    }],
    ["debugger-refused", async (page) => {
      await page.goto("/console/debugger/client-credentials");
      await page.locator("#client_id").fill("nobody");
      await page.locator("#client_secret").fill("wrong");
      await page.locator("section button[value=send]").click();
      await page.locator(".why.bad").waitFor();
    }],
    ["inspector-verdict", async (page) => {
      const token = await issue(page);
      await page.goto("/console/debugger/token");
      await page.locator("#token").fill(token);
      await press(page, "Inspect");
      await page.getByText(/^Accepted: /).waitFor();
    }],
    ["quickstart-run", async (page) => {
      await page.goto("/console/quickstart");
      for (const request of ["get-private-no-token", "token-client-credentials", "get-private-scoped"]) {
        await page.locator(`button[value=${request}]`).click();
        await page.locator(`#${request} .exchange`).waitFor();
      }
    }],
    ["test-refused", async (page) => {
      await page.goto(`${testTab}?application=${reader.client_id}`);
      await page.locator("input[name=scope][value='write:messages']").check();
      await press(page, "Issue a token");
      await page.locator(".why.bad").waitFor();
    }],
    ["credentials-secret", async (page) => {
      await page.goto(applicationPage(sample.client_id, "/credentials"));
      await press(page, "Show the secret");
      await page.locator("#secret").waitFor();
    }],
    ["credentials-pair", async (page) => {
      await page.goto("/console/applications/new");
      await page.locator("#name").fill("Signs with a key");
      await press(page, "Create application");
      await page.locator(".notice").waitFor();
      await page.goto(`${/^\/console\/applications\/[^/]+/.exec(new URL(page.url()).pathname)[0]}/credentials`);
      await press(page, "Generate a key pair");
      const pem = await page.locator("#private").textContent();
      secret(pem.split("\n")[1]);
    }],
    ["administrator-link", async (page) => {
      await page.goto("/console/settings");
      await page.locator("#email").fill("hedy@example.org");
      await press(page, "Add");
      secret(new URL(await page.locator("#link").textContent()).searchParams.get("key"));
    }],
    ["keys-too-early", async (page) => {
      await rotate(page);
      await page.getByRole("button", { name: /^Rotate RS256/ }).click();
      await page.getByRole("button", { name: "Rotate RS256 at once" }).waitFor();
    }],
    ["apis-new-refused", async (page) => {
      await page.goto("/console/apis/new");
      await page.locator("#identifier").fill(facts.audience);
      await press(page, "Create API");
      await page.locator(".problem").waitFor();
    }],
    ["users-new-refused", async (page) => {
      await page.goto("/console/users/new");
      await page.locator("#email").fill("weak@example.org");
      await page.locator("#password").fill("");
      await page.evaluate(() => (document.querySelector("#password").form.noValidate = true));
      await press(page, "Create user");
      await page.locator(".problem").waitFor();
    }],
    ["applications-one-usage", (page) => page.goto(applicationPage(reader.client_id, "/usage"))],
    ["usage-quotas", (page) => page.goto("/console/usage")],
    ["reference", (page) => page.goto("/console/reference")],
    ["reference-endpoints", async (page) => {
      await page.goto("/console/reference");
      await page.locator("section h2 a").first().click();
      await page.locator(".endpoint").first().waitFor();
    }],
  ];
}
