#include "agent/run/deliveries.h"

#include <utility>

#include "agent/outputs/make_output.h"
#include "storage/outbox_file.h"

namespace picket::run {

alerts::Telling TellingOf(const Settings& settings, const Tenant& tenant) {
  alerts::Telling telling{.tenant = tenant.name, .to = {}};
  for (const outputs::OutputSettings& output : settings.outputs) {
    if (!outputs::Serves(output, tenant.name)) continue;
    telling.to.push_back({.output = output.name, .min_priority = output.min_priority});
  }
  return telling;
}

Result<std::unique_ptr<Deliveries>> Deliveries::Open(const Settings& settings,
                                                     storage::AgentStore& agent,
                                                     HttpTransport& network, Clock& clock,
                                                     OutputObserver on_note) {
  std::unique_ptr<Deliveries> all(new Deliveries());
  std::vector<outputs::Source> sources;
  for (const Tenant& tenant : settings.tenants) {
    sources.push_back({.tenant = tenant.name, .open = [folder = settings.data_dir, id = tenant.id] {
                         return storage::OutboxFile::OpenTenant(folder, id);
                       }});
  }
  const std::size_t own = sources.size();
  sources.push_back({.tenant = {}, .open = [folder = settings.data_dir] {
                       return storage::OutboxFile::OpenAgent(folder);
                     }});
  // An output of some tenants may be a customer's: it hears nothing of the agent, nor of others.
  std::vector<std::string> operators;
  for (const outputs::OutputSettings& output : settings.outputs) {
    if (output.tenants.empty()) operators.push_back(output.name);
  }
  PK_ASSIGN_OR_RETURN(std::unique_ptr<storage::OutboxFile> file,
                      storage::OutboxFile::OpenAgent(settings.data_dir));
  PK_RETURN_IF_ERROR(file->outbox().Expire(clock.Now() - settings.poll.retention));
  all->alerts_ = std::make_unique<outputs::AgentAlerts>(
      std::move(file), std::move(operators),
      [owner = all.get(), own] { owner->deliverer_->Touch(own); });
  std::vector<std::unique_ptr<outputs::Lane>> lanes;
  for (const outputs::OutputSettings& output : settings.outputs) {
    lanes.push_back(std::make_unique<outputs::Lane>(
        outputs::LaneSettings{.output = output.name, .give_up_after = output.give_up_after},
        outputs::MakeOutput(output, network, clock), sources, agent, *all->alerts_, clock,
        on_note));
    PK_RETURN_IF_ERROR(lanes.back()->Open());
  }
  all->deliverer_ = std::make_unique<outputs::Deliverer>(std::move(lanes), clock);
  all->deliverer_->Start();
  return all;
}

}  // namespace picket::run
